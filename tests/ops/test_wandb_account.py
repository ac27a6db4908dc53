import os
from pathlib import Path

import pytest

from sr.ops.wandb_account import logged_in


def test_logged_in_by_key_or_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_BASE_URL", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not logged_in()
    (tmp_path / "netrc").write_text("machine elsewhere login user password x\n")
    os.chmod(tmp_path / "netrc", 0o600)
    assert not logged_in()
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password x\n")
    assert logged_in()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")  # a server of one's own
    assert not logged_in()
    (tmp_path / "netrc").write_text("machine wandb.example.org login user password x\n")
    assert logged_in()
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    assert not logged_in()
    monkeypatch.setenv("WANDB_API_KEY", "x")
    assert logged_in()
