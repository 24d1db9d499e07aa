// Where things are on the map: Miller's projection (no pole is infinitely far), with the width of the world as unit.
const MOST_NORTH = miller(90);
const LEAST = 0.01;
// Among neighbours: 50 km.
export const CLOSE = 0.0013;

function miller(latitude) {
  return (1.25 * Math.log(Math.tan(Math.PI / 4 + (0.4 * latitude * Math.PI) / 180))) / (2 * Math.PI);
}

export const east = (longitude) => longitude / 360 + 0.5;
export const south = (latitude) => MOST_NORTH - miller(Math.max(-90, Math.min(90, latitude)));
export const longitudeAt = (x) => (((((x - 0.5) * 360 + 180) % 360) + 360) % 360) - 180;
export const latitudeAt = (y) =>
  ((Math.atan(Math.exp(((MOST_NORTH - y) * 2 * Math.PI) / 1.25)) - Math.PI / 4) / 0.4) * (180 / Math.PI);
// The short way round, so that what lies beyond the date line is drawn beside it.
export const turned = (dx) => (dx > 0.5 ? dx - 1 : dx < -0.5 ? dx + 1 : dx);

// The part of the map that is seen: its middle, and how many pixels the width of the world would have.
export class View {
  constructor() {
    Object.assign(this, { x: 0.5, y: 0.34, scale: 1, width: 1, height: 1 });
  }

  toScreen(x, y) {
    return [turned(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  toWorld(left, top) {
    return [(left - this.width / 2) / this.scale + this.x, (top - this.height / 2) / this.scale + this.y];
  }

  // How much nearer than the whole world.
  get nearness() {
    return this.scale / this.width;
  }

  fit(x0, y0, x1, y1, least = LEAST) {
    this.x = (x0 + x1) / 2;
    this.y = (y0 + y1) / 2;
    // Never so near that no coast tells where it is.
    this.scale = Math.min((this.width * 0.94) / Math.max(x1 - x0, least), (this.height * 0.94) / Math.max(y1 - y0, least));
    this.keepInside();
  }

  fitWorld() {
    this.fit(0.03, south(80), 0.97, south(-57));
  }

  zoom(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toWorld(left, top);
    this.scale *= factor;
    this.keepInside();
    const [nowX, nowY] = this.toWorld(left, top);
    this.x += x - nowX;
    this.y += y - nowY;
    this.keepInside();
  }

  pan(right, down) {
    this.x -= right / this.scale;
    this.y -= down / this.scale;
    this.keepInside();
  }

  keepInside() {
    this.scale = Math.max(this.width, Math.min(this.scale, this.width * 2000));
    this.x = ((this.x % 1) + 1) % 1;
    const bottom = 2 * MOST_NORTH;
    const half = Math.min(this.height / 2 / this.scale, bottom / 2);
    this.y = Math.max(half, Math.min(bottom - half, this.y));
  }

  // How many kilometres a number of pixels is in the middle of the map.
  kilometres(pixels) {
    return (pixels / this.scale) * 40075 * Math.cos((latitudeAt(this.y) * Math.PI) / 180);
  }
}
