// Draws the map on its canvas: water, land, then the points, the weightiest group last.
import { east, south, turned } from "./world.js";

// Groups that are drawn larger than the others.
const EXTRA = { large: 1.4, medium: 0.6, added: 0.8, deleted: 0.8, moved: 0.8, error: 1, warning: 0.4 };

export function landPath({ scale, rings }) {
  const path = new Path2D();
  for (const ring of rings) {
    let [longitude, latitude] = [0, 0];
    for (let i = 0; i < ring.length; i += 2) {
      // A ring that crosses the date line goes on beyond it, instead of back around the world.
      longitude += i ? shortWay(ring[i] / scale) : ring[i] / scale;
      latitude += ring[i + 1] / scale;
      if (i) path.lineTo(east(longitude), south(latitude));
      else path.moveTo(east(longitude), south(latitude));
    }
    // One that goes all around the world has the pole in it.
    if (Math.abs(longitude - ring[0] / scale) > 180) {
      path.lineTo(east(longitude), south(-90));
      path.lineTo(east(ring[0] / scale), south(-90));
    }
    path.closePath();
  }
  return path;
}

const shortWay = (turn) => (turn > 180 ? turn - 360 : turn < -180 ? turn + 360 : turn);

// Colours are the stylesheet's, so that dark and light have their own.
export function coloursOf(element, groups) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--map-${name}`).trim();
  return {
    water: read("water"),
    land: read("land"),
    coast: read("coast"),
    mark: read("mark"),
    groups: groups.map((group) => read(group.colour)),
  };
}

export function draw(context, view, { land, points, colours, mark, chosen }) {
  context.fillStyle = colours.water;
  context.fillRect(0, 0, view.width, view.height);
  if (land) drawLand(context, view, land, colours);
  if (points) {
    drawWays(context, view, points, colours);
    for (let group = points.groups.length - 1; group >= 0; group -= 1) {
      if (!points.hidden[group]) drawGroup(context, view, points, group, colours.groups[group]);
    }
    if (chosen !== null) ring(context, ...view.toScreen(points.x[chosen], points.y[chosen]), colours.mark);
  }
  if (mark) cross(context, view, colours.mark);
}

function drawLand(context, view, land, colours) {
  context.fillStyle = colours.land;
  context.strokeStyle = colours.coast;
  context.lineWidth = 0.7 / view.scale;
  for (const turn of [-1, 0, 1]) {
    const left = (turn - view.x) * view.scale + view.width / 2;
    // Rings that cross the date line reach a world's width beyond either edge.
    if (left > view.width + view.scale || left + 2 * view.scale < 0) continue;
    context.save();
    context.translate(left, view.height / 2 - view.y * view.scale);
    context.scale(view.scale, view.scale);
    context.fill(land, "evenodd");
    context.stroke(land);
    context.restore();
  }
}

function drawGroup(context, view, points, group, colour) {
  const size = Math.min(1.3 * Math.sqrt(view.nearness), 5) + (EXTRA[points.groups[group].colour] ?? 0);
  const [half, middle, centre] = [size / 2, view.width / 2, view.height / 2];
  context.fillStyle = colour;
  for (const i of points.members[group]) {
    const left = turned(points.x[i] - view.x) * view.scale + middle - half;
    const top = (points.y[i] - view.y) * view.scale + centre - half;
    if (left > -size && top > -size && left < view.width && top < view.height) context.fillRect(left, top, size, size);
  }
}

// From where what moved was: a line, and a hollow square at its old place.
function drawWays(context, view, points, colours) {
  if (!points.wasX.length || points.hidden[points.group[0]]) return;
  context.strokeStyle = colours.groups[points.group[0]];
  context.lineWidth = 1;
  context.beginPath();
  for (let i = 0; i < points.wasX.length; i += 1) {
    const [left, top] = view.toScreen(points.x[i], points.y[i]);
    const right = left + turned(points.wasX[i] - points.x[i]) * view.scale;
    const bottom = top + (points.wasY[i] - points.y[i]) * view.scale;
    if (Math.hypot(right - left, bottom - top) < 3) continue;
    context.moveTo(left, top);
    context.lineTo(right, bottom);
    context.rect(right - 2, bottom - 2, 4, 4);
  }
  context.stroke();
}

function ring(context, left, top, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(left, top, 7, 0, 2 * Math.PI);
  context.stroke();
}

function cross(context, view, colour) {
  const [left, top] = [view.width / 2, view.height / 2];
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const way of [-1, 1]) {
    context.moveTo(left + way * 5, top);
    context.lineTo(left + way * 14, top);
    context.moveTo(left, top + way * 5);
    context.lineTo(left, top + way * 14);
  }
  context.stroke();
}
