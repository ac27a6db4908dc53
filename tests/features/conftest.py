from vgg_files import hub, vgg_file

__all__ = ["hub", "vgg_file"]  # fixtures
