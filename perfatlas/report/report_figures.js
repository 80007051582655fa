// SPDX-License-Identifier: Apache-2.0
// Efficiency, noise and drift.

const bounds = [['math', 'var(--s0)'], ['memory', 'var(--s1)'], ['llc', 'var(--s2)'], [null, 'var(--s7)']];
const boundNames = {math: 'arithmetic binds', memory: 'memory binds', llc: 'last-level cache binds', null: 'unknown'};

function drawEfficiencyHistogram(op) {
  const rows = rowsOf(op).filter(r => r.efficiency !== null);
  if (!rows.length) return fill('efficiency-legend'), fill('efficiency-histogram', html('p', {class: 'quiet'}, 'No efficiency is known: the machine\'s peaks are missing.'));
  const high = Math.max(1.1, Math.ceil(Math.min(4, Math.max(...rows.map(r => r.efficiency))) * 20 + 1e-9) / 20);
  const width = 0.05, bins = [];
  for (let low = 0; low < high - 1e-9; low += width) bins.push({low, high: low + width, parts: bounds.map(([name, colour]) => ({count: 0, colour, name: boundNames[name]}))});
  for (const r of rows) {
    const bin = bins[Math.min(bins.length - 1, Math.floor(r.efficiency / width))];
    ++bin.parts[bounds.findIndex(([name]) => name === r.bound)].count;
  }
  const present = bounds.filter(([name]) => rows.some(r => r.bound === name));
  fill('efficiency-legend', present.map(([name, colour]) => html('span', {}, [svg('svg', {viewBox: '0 0 14 14'}, svg('rect', {width: 14, height: 14, style: `fill:${colour}`})), boundNames[name]])));
  const ticks = []; for (let t = 0; t <= high + 1e-9; t += high > 2 ? 0.5 : 0.2) ticks.push(Number(t.toFixed(1)));
  fill('efficiency-histogram', histogram(bins, (a, b) => linearScale(0, high, a, b), ticks, {
    title: 'efficiency', text: String, thresholds: [{at: 1}], range: b => `${b.low.toFixed(2)} to ${b.high.toFixed(2)}`}));
}

const median = values => values.slice().sort((a, b) => a - b)[Math.floor(values.length / 2)];

function drawHeat(op, state) {
  const candidates = sizes(op), rows = rowsOf(op).filter(r => r.efficiency !== null);
  if (candidates.length < 2 || !rows.length) return fill('heat-controls'), fill('efficiency-heat', html('p', {class: 'quiet'}, 'Needs two sizes that vary and known peaks.'));
  const names = candidates.map(c => c.name), xi = state.hx ?? 0, yi = (state.hy ?? 1) === xi ? (xi ? 0 : 1) : state.hy ?? 1;
  fill('heat-controls', choice('x', names, xi, i => { state.hx = i; drawHeat(op, state); }), choice('y', names, yi, i => { state.hy = i; drawHeat(op, state); }));
  const x = candidates[xi], y = candidates[yi], cells = new Map();
  for (const r of rows) {
    const key = x.get(r) + ',' + y.get(r);
    if (!cells.has(key)) cells.set(key, {x: x.get(r), y: y.get(r), values: []});
    cells.get(key).values.push(r.efficiency);
  }
  const p = plot(540, 60 + Math.min(330, 24 * y.values.length + 20), `median efficiency over ${x.name} and ${y.name}`, {left: 70});
  const w = (p.right - p.left) / x.values.length, h = (p.bottom - p.top) / y.values.length;
  for (const c of cells.values()) {
    const m = median(c.values), share = Math.round(Math.min(1, m) * 100);
    const cell = svg('rect', {x: p.left + x.values.indexOf(c.x) * w, y: p.bottom - (y.values.indexOf(c.y) + 1) * h, width: Math.max(1, w - 1), height: Math.max(1, h - 1),
                              style: m > 1 ? 'fill:var(--bad)' : `fill:color-mix(in oklab, var(--heat-1) ${share}%, var(--heat-0))`});
    tooltip(cell, () => [[x.name, c.x], [y.name, c.y], ['median efficiency', digits(m)], ['rows', c.values.length]]);
    p.root.append(cell);
    if (w > 30 && h > 15) p.root.append(svg('text', {x: p.left + (x.values.indexOf(c.x) + 0.5) * w, y: p.bottom - (y.values.indexOf(c.y) + 0.5) * h + 4, 'text-anchor': 'middle', 'pointer-events': 'none',
                                                     style: m > 1 || share > 55 ? 'fill:var(--card)' : 'fill:var(--ink)'}, m.toFixed(2)));
  }
  const everyX = Math.ceil(44 / w), everyY = Math.ceil(14 / h);
  x.values.forEach((v, i) => i % everyX || p.root.append(svg('text', {x: p.left + (i + 0.5) * w, y: p.bottom + 16, 'text-anchor': 'middle'}, String(v))));
  y.values.forEach((v, i) => i % everyY || p.root.append(svg('text', {x: p.left - 7, y: p.bottom - (i + 0.5) * h + 4, 'text-anchor': 'end'}, String(v))));
  p.root.append(svg('text', {class: 'title', x: (p.left + p.right) / 2, y: p.height - 4, 'text-anchor': 'middle'}, x.name));
  p.root.append(svg('text', {class: 'title', x: 12, y: (p.top + p.bottom) / 2, transform: `rotate(-90 12 ${(p.top + p.bottom) / 2})`, 'text-anchor': 'middle'}, y.name));
  fill('efficiency-heat', p.root, html('p', {class: 'quiet'}, 'Darker is better in a light page, brighter in a dark one; empty: no row; red: above 1.'));
}

function drawNoise() {
  const values = data.ops.flatMap(rowsOf).filter(r => r.samples > 0).map(r => Math.max(1e-4, Math.min(0.999, r.rel_ci95)));
  if (!values.length) return fill('noise-histogram', html('p', {class: 'quiet'}, 'No spread is known.'));
  const steps = 5, bins = [];
  for (let i = -4 * steps; i < 0; ++i) bins.push({low: 10 ** (i / steps), high: 10 ** ((i + 1) / steps), parts: [{count: 0, colour: 'var(--s0)'}]});
  for (const v of values) ++bins[Math.max(0, Math.min(bins.length - 1, Math.floor(Math.log10(v) * steps + 1e-9) + 4 * steps))].parts[0].count;
  const s = data.summary.rel_ci95;
  fill('noise-histogram', histogram(bins, (a, b) => logScale([1e-4, 1], a, b), [1e-4, 1e-3, 1e-2, 1e-1, 1], {
    title: 'half-width of the interval / median', text: percent, thresholds: [{at: data.thresholds.noisy}], range: b => `${percent(b.low)} to ${percent(b.high)}`}),
    s ? html('p', {class: 'quiet'}, `All ${s.n} rows: median ${percent(s.p50)}, 95th percentile ${percent(s.p95)}, largest ${percent(s.max)}. The line marks ${percent(data.thresholds.noisy)}.`) : null);
}

function drawDrift() {
  const s = data.summary.drift;
  if (!s) return fill('drift-histogram', html('p', {class: 'quiet'}, 'No case was measured again.')), fill('drift-table');
  const values = data.reruns.map(r => r[3]), reach = Math.max(0.1, Math.min(1, Math.ceil(s.max * 20) / 20)), width = reach / 10, bins = [];
  for (let i = -10; i < 10; ++i) bins.push({low: i * width, high: (i + 1) * width, parts: [{count: 0, colour: 'var(--s0)'}]});
  for (const v of values) ++bins[Math.max(0, Math.min(19, Math.floor(v / width) + 10))].parts[0].count;
  fill('drift-histogram', histogram(bins, (a, b) => linearScale(-reach, reach, a, b), [-reach, -reach / 2, 0, reach / 2, reach], {
    title: 'again / first - 1', text: percent, thresholds: [{at: -data.thresholds.drift}, {at: data.thresholds.drift}], range: b => `${percent(b.low)} to ${percent(b.high)}`}),
    html('p', {class: 'quiet'}, `${s.n} cases measured again: median deviation ${percent(s.p50)}, 95th percentile ${percent(s.p95)}; ${data.summary.drifted} over ${percent(data.thresholds.drift)}.`));
  fill('drift-table', html('h3', {}, 'Largest changes'), table(data.reruns.slice(0, 8), [
    {title: 'case', wide: true, cell: r => code(r[0])}, {title: 'first', number: true, cell: r => timeText(r[1])},
    {title: 'again', number: true, cell: r => timeText(r[2])}, {title: 'change', number: true, cell: r => percent(r[3])}], ''));
}
