// A map of points: drawn, moved, zoomed, and asked by mouse, finger and keyboard. What it shows comes from data-view.
import { coloursOf, draw, landPath } from "./drawing.js";
import { Points } from "./points.js";
import { CLOSE, View, latitudeAt, longitudeAt } from "./world.js";

const REACH = 9;
const TAP_REACH = 18;
const PAUSE = 150;
const ZOOM = 1.6;

class WorldMap {
  constructor(box) {
    this.box = box;
    this.canvas = box.querySelector("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.says = box.querySelector("[data-says]");
    this.legend = box.querySelector("[data-legend]");
    this.view = new View();
    this.points = this.land = this.chosen = null;
    this.names = new Map();
    this.pointers = new Map();
    this.mark = this.dragged = false;
    this.listen();
    this.resize();
    this.view.fitWorld();
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    const land = fetch(box.dataset.land).then((answer) => answer.json());
    land.then((outline) => { this.land = landPath(outline); this.redraw(); }).catch(() => {});
    this.load(box.querySelector("[data-view]").dataset.view);
  }

  async load(address) {
    this.tell("Loading…");
    this.asked = address;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const packed = await answer.json();
      if (this.asked === address) this.show(new Points(packed));
    } catch {
      if (this.asked === address) this.tell("The points of the map could not be loaded: reload the page.");
    }
  }

  show(points) {
    this.points = points;
    this.chosen = null;
    this.colours = coloursOf(this.box, points.groups);
    this.drawLegend();
    this.fit();
    this.rest();
    this.redraw();
  }

  // Where the points are, if that is a part of the world.
  fit() {
    const box = this.box.dataset.fit && this.points?.number ? this.points.box() : [0, 0, 1, 1];
    if (box[2] - box[0] > 0.7) this.view.fitWorld();
    else this.view.fit(...box, this.box.dataset.fit === "close" ? CLOSE : undefined);
  }

  // What is said while nothing is pointed at.
  rest() {
    const { number, leftOut } = this.points;
    const left = leftOut ? `, ${leftOut.toLocaleString("en")} more are not drawn` : "";
    this.tell(number ? `${number.toLocaleString("en")} ${number === 1 ? "point" : "points"} on the map${left}. Point at one to see its name.` : "Nothing of this has a position.");
  }

  tell(words, ...links) {
    this.says.replaceChildren(words);
    for (const [word, address] of links) {
      const link = Object.assign(document.createElement("a"), { href: address, textContent: word });
      this.says.append(" · ", link);
    }
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width) return;
    const grown = width / this.view.width;
    Object.assign(this.canvas, { width: width * ratio, height: height * ratio });
    Object.assign(this.view, { width, height });
    this.view.scale *= grown;
    this.view.keepInside();
    this.redraw();
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      const ratio = window.devicePixelRatio || 1;
      this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.colours ??= coloursOf(this.box, []);
      draw(this.context, this.view, this);
      if (this.points && this.land && !this.box.dataset.drawn) {
        this.box.dataset.drawn = this.points.number;
        performance.mark("map-drawn");
        this.box.dispatchEvent(new Event("map-drawn"));
      }
    });
  }

  drawLegend() {
    this.legend.replaceChildren(...this.points.groups.filter((group) => group.count).map((group) => {
      const number = this.points.groups.indexOf(group);
      const item = document.createElement("li");
      const label = document.createElement("label");
      const tick = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
      tick.addEventListener("change", () => { this.points.hidden[number] = !tick.checked; this.redraw(); });
      const spot = Object.assign(document.createElement("span"), { className: `map-spot map-spot-${group.colour}` });
      spot.setAttribute("aria-hidden", "true");
      label.append(tick, " ", spot, " ", group.label);
      const count = document.createElement(group.url ? "a" : "span");
      if (group.url) Object.assign(count, { href: group.url, ariaLabel: `${group.count.toLocaleString("en")}: list ${group.label}` });
      count.textContent = group.count.toLocaleString("en");
      item.append(label, " ", count);
      return item;
    }));
  }

  // -- what is under the pointer ---------------------------------------------------------------------------------

  point(left, top, reach) {
    if (!this.points) return;
    const found = this.points.around(this.view, left, top, reach);
    const chosen = found[0] ?? null;
    if (chosen !== this.chosen) this.redraw();
    this.chosen = chosen;
    this.found = found;
    this.canvas.classList.toggle("over", chosen !== null);
    if (chosen === null) this.rest();
    else this.name(chosen, found.length);
  }

  name(i, number) {
    const key = this.points.keys[i];
    const { near } = this.points.addresses;
    const links = [["Open", this.objectAddress(i)]];
    if (near) links.push([number > 1 ? `List the ${number} around it` : "List what is around it", this.nearAddress(i)]);
    const words = () => `${this.names.get(key) ?? key}, ${this.points.labelOf(i)}`;
    this.tell(words(), ...links);
    clearTimeout(this.asking);
    if (this.names.has(key) || !this.points.addresses.name) return;
    this.asking = setTimeout(async () => {
      const answer = await fetch(this.points.addresses.name.replace("KEY", encodeURIComponent(key))).catch(() => null);
      if (!answer?.ok) return;
      this.names.set(key, (await answer.json()).name);
      if (this.chosen === i) this.tell(words(), ...links);
    }, PAUSE);
  }

  objectAddress(i) {
    const own = this.points.groups[this.points.group[i]].object_url;
    if (own) return own.replace("KEY", encodeURIComponent(this.points.keys[i]));
    // The admin writes keys into addresses with _ for %.
    const quoted = this.points.keys[i].replace(/[^A-Za-z0-9-]/g, (sign) => `_${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
    return this.points.addresses.object.replace("KEY", quoted);
  }

  nearAddress(i) {
    const kilometres = Math.max(5, Math.round(this.view.kilometres(REACH * 2)));
    const place = [latitudeAt(this.points.y[i]).toFixed(2), longitudeAt(this.points.x[i]).toFixed(2), kilometres];
    return this.points.addresses.near.replace("NEAR", place.join(","));
  }

  // One alone opens; of several that lie close together, the list does.
  open() {
    if (this.chosen === null) return;
    const many = this.found.length > 1 && this.points.addresses.near;
    window.location.assign(many ? this.nearAddress(this.chosen) : this.objectAddress(this.chosen));
  }

  // -- mouse, finger, keyboard -----------------------------------------------------------------------------------

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.pressed(event));
    canvas.addEventListener("pointermove", (event) => this.moved(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.released(event));
    canvas.addEventListener("pointerleave", () => { if (!this.pointers.size && this.chosen === null && this.points) this.rest(); });
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => { this.mark = false; this.redraw(); });
    for (const button of this.box.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.zoom(button.dataset.zoom));
    }
    for (const choice of this.box.querySelectorAll("[data-view]")) {
      choice.addEventListener("change", () => this.load(choice.dataset.view));
    }
    const recolour = () => { this.colours = coloursOf(this.box, this.points?.groups ?? []); this.redraw(); };
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
    new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  zoom(how) {
    if (how === "in") this.view.zoom(ZOOM);
    else if (how === "out") this.view.zoom(1 / ZOOM);
    else this.fit();
    this.redraw();
  }

  pressed(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    if (this.pointers.size === 1) this.dragged = false;
    this.mark = false;
  }

  moved(event) {
    const here = [event.offsetX, event.offsetY];
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.point(...here, REACH);
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    const [right, down] = [here[0] - before[0], here[1] - before[1]];
    if (!this.dragged && Math.hypot(right, down) < 4) return undefined;
    this.dragged = true;
    this.pointers.set(event.pointerId, here);
    if (others.length) {
      const apart = (place) => Math.hypot(place[0] - others[0][0], place[1] - others[0][1]);
      this.view.zoom(apart(here) / Math.max(apart(before), 1), (here[0] + others[0][0]) / 2, (here[1] + others[0][1]) / 2);
    }
    this.view.pan(right / (others.length + 1), down / (others.length + 1));
    this.redraw();
    return undefined;
  }

  released(event) {
    this.pointers.delete(event.pointerId);
    if (this.dragged || event.type === "pointercancel") return;
    const touch = event.pointerType !== "mouse";
    this.point(event.offsetX, event.offsetY, touch ? TAP_REACH : REACH);
    // A finger cannot hover: the first tap names, and the links below lead on.
    if (!touch && event.button === 0) this.open();
  }

  // The wheel scrolls the page, unless the map was entered by the keyboard or a drag, or Ctrl is held.
  wheel(event) {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== this.canvas) return;
    event.preventDefault();
    this.view.zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
    this.redraw();
  }

  key(event) {
    const step = 60;
    const ways = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (ways[event.key]) this.view.pan(...ways[event.key]);
    else if (event.key === "+" || event.key === "=") this.view.zoom(ZOOM);
    else if (event.key === "-") this.view.zoom(1 / ZOOM);
    else if (event.key === "0") this.zoom("all");
    else if (event.key === "Enter") return void this.open();
    else return;
    event.preventDefault();
    this.mark = true;
    this.point(this.view.width / 2, this.view.height / 2, 40);
    this.redraw();
  }
}

for (const box of document.querySelectorAll("[data-map]")) new WorldMap(box);
