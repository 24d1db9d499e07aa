// The points of a map, as the server packs them (apps/changesets/maps.py), placed and ready to be drawn and found.
import { east, south, turned } from "./world.js";

export class Points {
  constructor(packed) {
    const number = packed.lat.length;
    this.groups = packed.groups;
    this.keys = packed.keys ? packed.keys.split("\n") : [];
    this.addresses = { object: packed.object_url, near: packed.near_url, name: packed.name_url };
    this.leftOut = packed.left_out;
    this.x = new Float64Array(number);
    this.y = new Float64Array(number);
    this.group = new Uint8Array(number);
    this.hidden = packed.groups.map(() => false);
    const members = packed.groups.map(() => []);
    for (let i = 0; i < number; i += 1) {
      this.x[i] = east(packed.lon[i] / packed.scale);
      this.y[i] = south(packed.lat[i] / packed.scale);
      this.group[i] = packed.group.charCodeAt(i) - 48;
      members[this.group[i]].push(i);
    }
    this.members = members;
    this.wasX = packed.was_lon.map((longitude) => east(longitude / packed.scale));
    this.wasY = packed.was_lat.map((latitude) => south(latitude / packed.scale));
  }

  get number() {
    return this.keys.length;
  }

  labelOf(i) {
    return this.groups[this.group[i]].label;
  }

  // The shown points within so many pixels of a place on the screen, the nearest first.
  around(view, left, top, reach) {
    const [x, y] = view.toWorld(left, top);
    const most = (reach / view.scale) ** 2;
    const found = [];
    for (let i = 0; i < this.x.length; i += 1) {
      const distance = turned(this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (distance <= most && !this.hidden[this.group[i]]) found.push([distance, i]);
    }
    return found.sort((one, other) => one[0] - other[0]).map(([, i]) => i);
  }

  // The smallest box around all points, across the date line where that is smaller.
  box() {
    const all = Array.from(this.x).sort((one, other) => one - other);
    let [gap, start] = [all[0] + 1 - all.at(-1), all[0]];
    for (let i = 1; i < all.length; i += 1) {
      if (all[i] - all[i - 1] > gap) [gap, start] = [all[i] - all[i - 1], all[i]];
    }
    let [top, bottom] = [Infinity, -Infinity];
    for (const y of this.y) [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    return [start, top, start + 1 - gap, bottom];
  }
}
