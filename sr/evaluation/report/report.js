"use strict";
// The slider between two versions of each image, and the toolbar for all images.
(() => {
  const { models, falling, cards: values } = JSON.parse(document.getElementById("data").textContent);
  const cards = [...document.querySelectorAll(".card")].map((element) => new Map([
    ["element", element],
    ["values", values[Number(element.dataset.card)]],
  ]));
  const find = (card, selector) => card.get("element").querySelector(selector);

  function show(card, side) {
    const version = find(card, `.pick-${side}`).value;
    for (const image of card.get("element").querySelectorAll(".stage img")) {
      image.classList.toggle(side, image.dataset.version === version);
    }
    find(card, `.tag-${side}`).textContent = version;
  }

  function move(card, percent) {
    const at = Math.min(100, Math.max(0, percent));
    find(card, "input[type=range]").value = String(at);
    find(card, ".stage").style.setProperty("--at", `${at}%`);
  }

  function follow(card) {
    const stage = find(card, ".stage");
    const place = (event) => {
      const box = stage.getBoundingClientRect();
      move(card, (100 * (event.clientX - box.left)) / box.width);
    };
    stage.addEventListener("pointerdown", (event) => {
      stage.setPointerCapture(event.pointerId);
      place(event);
    });
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) place(event);
    });
    find(card, "input[type=range]").addEventListener("input", (event) => move(card, Number(event.target.value)));
  }

  for (const card of cards) {
    for (const side of ["left", "right"]) find(card, `.pick-${side}`).addEventListener("change", () => show(card, side));
    follow(card);
    for (const side of ["left", "right"]) show(card, side); // a browser may remember choices over a reload
    move(card, Number(find(card, "input[type=range]").value));
  }

  for (const side of ["left", "right"]) {
    document.getElementById(`all-${side}`).addEventListener("change", (event) => {
      for (const card of cards) {
        find(card, `.pick-${side}`).value = event.target.value;
        show(card, side);
      }
    });
  }

  function quality(card, kind, metric) {
    const own = card.get("values")[models[0]][metric];
    const value = kind === "gain" ? own - card.get("values")[models[models.length - 1]][metric] : own;
    return falling.includes(metric) ? -value : value;
  }

  document.getElementById("order").addEventListener("change", (event) => {
    const [kind, metric] = event.target.value.split(" ");
    for (const set of document.querySelectorAll(".cards")) {
      const inside = cards.filter((card) => set.contains(card.get("element")));
      inside.sort((a, b) => quality(a, kind, metric) - quality(b, kind, metric));
      set.append(...inside.map((card) => card.get("element")));
    }
  });

  document.getElementById("zoom").addEventListener("change", (event) => {
    const zoom = event.target.value;
    for (const set of document.querySelectorAll(".cards")) {
      set.classList.toggle("wide", zoom === "2" || zoom === "4");
      set.classList.toggle("fit", zoom === "fit");
    }
    for (const card of cards) {
      const stage = find(card, ".stage");
      const width = Number(stage.style.getPropertyValue("--w")) * Number(zoom);
      stage.style.width = zoom === "fit" ? "" : `${width}px`;
      for (const image of stage.querySelectorAll("img")) {
        image.classList.toggle("pixels", image.dataset.version === "LR" || zoom !== "fit");
      }
    }
  });
})();
