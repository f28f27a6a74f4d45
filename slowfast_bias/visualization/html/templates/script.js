"use strict";
// Tables are sorted by their column buttons: once up, then down.
for (const button of document.querySelectorAll("button.sort")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), body = button.closest("table").tBodies[0];
    const column = [...head.parentNode.children].indexOf(head);
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.children[column].dataset.value ?? "";
    const known = (text) => text !== "" && text !== "nan";
    const compare = (a, b) => {
      const x = key(a), y = key(b);
      if (!known(x) || !known(y)) return known(y) - known(x);
      const order = isNaN(x) || isNaN(y) ? x.localeCompare(y, "en", { numeric: true }) : x - y;
      return up ? order : -order;
    };
    body.append(...[...body.rows].sort(compare));
  });
}

// Marks of a scatter can be asked for: by pointing at them, or with the arrow keys.
for (const plot of document.querySelectorAll("svg.scatter")) {
  const said = plot.parentNode.querySelector("output"), ring = plot.querySelector(".ring");
  const units = [];
  const read = () => {  // at the first question
    if (units.length) return;
    for (const line of plot.querySelectorAll("polyline")) {
      const numbers = line.dataset.units.split(" ");
      line.getAttribute("points").split(" ").forEach((point, i) => {
        const [x, y] = point.split(",").map(Number);
        units.push({ x, y, kind: line.dataset.kind, unit: Number(numbers[i]) });
      });
    }
    units.sort((a, b) => a.unit - b.unit);
  };
  const number = (value) => (value / 1000).toFixed(3).replace("-", "\u2212");
  let current = -1;
  const show = (i) => {
    current = i;
    const { x, y, kind, unit } = units[i];
    ring.setAttribute("cx", x);
    ring.setAttribute("cy", y);
    ring.removeAttribute("hidden");
    said.textContent = `unit ${unit}, ${kind}: ${plot.dataset.x} ${number(x)}, ${plot.dataset.y} ${number(-y)}`;
  };
  const nearest = (event) => {
    read();
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());
    let best = -1, least = (14 * plot.viewBox.baseVal.width / plot.clientWidth) ** 2;
    units.forEach(({ x, y }, i) => {
      const distance = (x - at.x) ** 2 + (y - at.y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    });
    if (best >= 0) show(best);
  };
  plot.addEventListener("pointermove", nearest);
  plot.addEventListener("pointerdown", nearest);
  plot.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    if (!(event.key in steps)) return;
    read();
    if (!units.length) return;
    event.preventDefault();
    show((current + steps[event.key] + units.length) % units.length);
  });
}

// Clips play while pointed at or in focus; a click keeps one playing, a box all of them.
for (const film of document.querySelectorAll("button.film"))
  film.addEventListener("click", () =>
    film.setAttribute("aria-pressed", film.getAttribute("aria-pressed") === "false"));
for (const box of document.querySelectorAll("input[data-adds]"))
  box.addEventListener("change", () =>
    box.closest("section").classList.toggle(box.dataset.adds, box.checked));

// The numbers inside the page, as files.
for (const button of document.querySelectorAll("button.save")) {
  button.addEventListener("click", () => {
    const text = document.getElementById(button.dataset.from).textContent;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = button.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

// On paper nothing can be unfolded.
const folded = [];
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details.doubts:not([open])")) {
    folded.push(part);
    part.open = true;
  }
});
addEventListener("afterprint", () => {
  while (folded.length) folded.pop().open = false;
});
