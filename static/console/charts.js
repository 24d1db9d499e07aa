// Draws the charts of the dashboard with uPlot, from the tables that stand beside them.
const HEIGHT = 200;

function seriesOf(table) {
  const rows = [...table.tBodies[0].rows];
  const headers = [...table.tHead.rows[0].cells].slice(1);
  const numbers = (cell) => (cell.dataset.y === "" ? null : Number(cell.dataset.y));
  return {
    headers,
    data: [rows.map((row) => Number(row.cells[0].dataset.x)), ...headers.map((_, i) => rows.map((row) => numbers(row.cells[i + 1])))],
  };
}

function plot(box) {
  const table = document.getElementById(box.dataset.plot);
  const { headers, data } = seriesOf(table);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const shown = (number) => (number === null ? "" : number.toLocaleString("en") + (table.dataset.unit ? ` ${table.dataset.unit}` : ""));
  const axis = { stroke: colour("--body-quiet-color"), grid: { stroke: colour("--hairline-color") }, ticks: { stroke: colour("--hairline-color") } };
  const options = {
    width: box.clientWidth,
    height: HEIGHT,
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => margins(low, high) } },
    axes: [{ ...axis, values: (_, moments) => moments.map((moment) => named(moment, data[0])) }, { ...axis, size: 64, values: (_, ticks) => ticks.map(shown) }],
    series: [{ value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...headers.map((header) => ({
      label: header.textContent,
      stroke: colour(`--map-${header.dataset.colour}`),
      width: 2,
      // A number holds until the next one is known: a line between two would show what never was.
      paths: window.uPlot.paths.stepped({ align: 1 }),
      points: { show: true, size: 5 },
      value: (_, number) => shown(number),
    }))],
  };
  box.replaceChildren();
  return new window.uPlot(options, data, box);
}

// Days for a trend over days, hours for one of a day.
function named(moment, all) {
  const when = new Date(moment * 1000);
  if (all.at(-1) - all[0] < 2 * 86400) return when.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return when.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

function margins(low, high) {
  const room = Math.max((high - low) * 0.08, Math.abs(high) * 0.002, 0.5);
  return [Math.max(0, low - room), high + room];
}

for (const box of document.querySelectorAll("[data-plot]")) {
  let chart = plot(box);
  new ResizeObserver(() => { if (box.clientWidth) chart.setSize({ width: box.clientWidth, height: HEIGHT }); }).observe(box);
  const again = () => { chart.destroy(); chart = plot(box); };
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
