// SPDX-License-Identifier: Apache-2.0
// Rows as objects, and the latency figure.

/// A row of an op: {fields: [...], kernel, cache, ..., op}; names are those of data.row_columns.
function rowsOf(op) {
  if (!op.objects)
    op.objects = op.rows.map(values => {
      const row = {op, fields: values.slice(0, op.fields.length)};
      data.row_columns.forEach((name, i) => { row[name] = values[op.fields.length + i]; });
      row.kernel = data.kernels[row.kernel];
      return row;
    });
  return op.objects;
}
const caseText = row => row.op.fields.map((f, i) => `${f.column}=${row.fields[i]}`).join(' ');

function rowEntries(row) {
  const entries = row.op.fields.map((f, i) => [f.column, row.fields[i]]);
  entries.push(['kernel', row.kernel], ['cache, launch', `${row.cache}, ${row.launch}`],
               ['latency', `${timeText(row.latency_ms)} +- ${percent(row.rel_ci95)} of ${row.samples} samples`]);
  if (row.samples) entries.push(['p10 to p90', `${timeText(row.p10_ms)} to ${timeText(row.p90_ms)}`]);
  if (row.sol_ms !== null) entries.push(['speed of light', `${timeText(row.sol_ms)} (${row.bound})`]);
  if (row.efficiency !== null) entries.push(['efficiency', digits(row.efficiency)]);
  if (row.clock_mhz !== null) entries.push(['clock', `${row.clock_mhz} MHz`]);
  if (row.temperature_c !== null) entries.push(['temperature', `${row.temperature_c} C`]);
  if (row.energy_mj !== null) entries.push(['energy', `${digits(row.energy_mj)} mJ`]);
  if (row.suspicions) entries.push(['suspicious', row.suspicions]);
  return entries;
}

/// Fields that take more than one value in this op, with kernel and cache state as further ones.
function varying(op) {
  const rows = rowsOf(op);
  const dimensions = op.fields.map((f, i) => ({name: f.column, doc: f.doc, integer: f.integer, axis: f.role === 'axis', get: r => r.fields[i]}));
  dimensions.push({name: 'kernel', get: r => r.kernel}, {name: 'cache', get: r => r.cache});
  for (const d of dimensions) {
    d.values = [...new Set(rows.map(d.get))];
    d.values.sort((a, b) => typeof a === 'number' ? a - b : String(a).localeCompare(String(b)));
  }
  return dimensions.filter(d => d.values.length > 1);
}
/// Integer dimensions a figure can have as x, those with most values first.
function sizes(op) {
  return varying(op).filter(d => d.integer && d.values.every(v => v > 0)).sort((a, b) => b.values.length - a.values.length);
}

function choice(name, values, chosen, changed) {
  const select = html('select', {onchange: () => changed(select.selectedIndex)}, values.map((v, i) => {
    const option = html('option', {}, String(v));
    option.selected = i === chosen;
    return option;
  }));
  return html('label', {}, [name + ' ', select]);
}

const kMostCurves = 8;
const shapes = ['M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0Z', 'M-3.6,-3.6h7.2v7.2h-7.2Z', 'M0,-4.8L4.6,3.6H-4.6Z', 'M0,-5L5,0L0,5L-5,0Z'];
const mark = (i, attributes) => svg('path', Object.assign({class: 'mark', d: shapes[i % 4], style: `fill:var(--s${i % 8})`}, attributes));

/// The rows that pass the filters, as curves along x: [{name, rows}], longest first.
function curvesOf(op, x, dimensions, filters) {
  const others = dimensions.filter(d => d.name !== x.name);
  const curves = new Map();
  for (const row of rowsOf(op)) {
    if (others.some(d => filters[d.name] !== undefined && d.get(row) !== filters[d.name])) continue;
    const name = others.filter(d => filters[d.name] === undefined).map(d => `${d.name} ${d.get(row)}`).join(', ') || 'all rows';
    if (!curves.has(name)) curves.set(name, {name, rows: []});
    curves.get(name).rows.push(row);
  }
  const list = [...curves.values()];
  for (const c of list) c.rows.sort((a, b) => x.get(a) - x.get(b));
  return list.sort((a, b) => b.rows.length - a.rows.length);
}

/// Spread over the range of latencies, so that eight curves of many show small and large ones.
function chooseCurves(curves) {
  const longest = curves.filter(c => c.rows.length >= Math.min(3, curves[0].rows.length));
  if (longest.length <= kMostCurves) return longest;
  const last = c => c.rows[c.rows.length - 1].latency_ms;
  longest.sort((a, b) => last(a) - last(b));
  return Array.from({length: kMostCurves}, (_, i) => longest[Math.round(i * (longest.length - 1) / (kMostCurves - 1))]);
}

function pickRow(row) {
  const copy = html('button', {type: 'button', onclick: () => {
    const selection = getSelection();
    selection.selectAllChildren(line);
    if (navigator.clipboard) navigator.clipboard.writeText(row.repro).catch(() => {});
  }}, 'Copy');
  const line = code(row.repro);
  fill('latency-row', pairs(rowEntries(row)), html('p', {}, ['Run it again: ', line, ' ', copy]));
  byId('latency-row').hidden = false;
}

function drawCurve(p, curve, i, x, sx, sy) {
  const path = (rows, value) => rows.map((r, n) => `${n ? 'L' : 'M'}${sx(x.get(r)).toFixed(1)},${sy(value(r)).toFixed(1)}`).join('');
  const colour = `stroke:var(--s${i % 8})`;
  const lit = curve.rows.filter(r => r.sol_ms > 0);
  p.root.append(svg('path', {class: 'sol', d: path(lit, r => r.sol_ms), style: colour}));
  p.root.append(svg('path', {class: 'curve', d: path(curve.rows, r => r.latency_ms), style: colour}));
  return curve.rows.map(row => {
    const at = [sx(x.get(row)), sy(row.latency_ms)];
    if (row.p10_ms > 0) p.root.append(svg('line', {class: 'range', x1: at[0], x2: at[0], y1: sy(row.p10_ms), y2: sy(row.p90_ms), style: colour}));
    const node = mark(i, {transform: `translate(${at[0].toFixed(1)},${at[1].toFixed(1)})`});
    return {row, at, node};
  });
}

/// The mark nearest to the pointer, or the next one by arrow key.
function followMarks(root, marks) {
  let current = null;
  const turnTo = (m, pageX, pageY) => {
    if (current) current.node.classList.remove('on');
    current = m;
    if (!m) return hideTip();
    m.node.classList.add('on');
    const box = root.getBoundingClientRect(), unit = box.width / root.viewBox.baseVal.width;
    showTip(rowEntries(m.row), pageX ?? box.left + scrollX + m.at[0] * unit, pageY ?? box.top + scrollY + m.at[1] * unit);
  };
  root.addEventListener('pointermove', event => {
    const box = root.getBoundingClientRect(), unit = root.viewBox.baseVal.width / box.width;
    const [px, py] = [(event.clientX - box.left) * unit, (event.clientY - box.top) * unit];
    let best = null, least = 900;
    for (const m of marks) {
      const d = (m.at[0] - px) ** 2 + (m.at[1] - py) ** 2;
      if (d < least) { least = d; best = m; }
    }
    turnTo(best, event.pageX, event.pageY);
  });
  root.addEventListener('pointerleave', () => turnTo(null));
  root.addEventListener('click', () => current && pickRow(current.row));
  root.addEventListener('blur', () => turnTo(null));
  root.addEventListener('keydown', event => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (step) { turnTo(marks[(marks.indexOf(current) + step + marks.length) % marks.length]); event.preventDefault(); }
    if (event.key === 'Enter' && current) pickRow(current.row);
  });
}

function drawLatency(op, state) {
  const dimensions = varying(op), candidates = sizes(op);
  byId('latency-row').hidden = true;
  if (!rowsOf(op).length) return fill('latency-figure', html('p', {class: 'quiet'}, 'Nothing was measured.')), fill('latency-controls'), fill('latency-legend');
  const fallback = {name: 'all cases', values: [1], get: () => 1};
  const x = candidates[state.x || 0] || fallback;
  const filters = state.filters = state.filters || {};
  delete filters[x.name];
  const controls = candidates.length > 1 ? [choice('x axis', candidates.map(c => c.name), state.x || 0, i => { state.x = i; drawLatency(op, state); })] : [];
  for (const d of dimensions.filter(d => d.name !== x.name)) {
    const options = ['all', ...d.values];
    controls.push(choice(d.name, options, Math.max(0, options.indexOf(filters[d.name])), i => {
      if (i) filters[d.name] = d.values[i - 1]; else delete filters[d.name];
      drawLatency(op, state);
    }));
  }
  fill('latency-controls', controls);
  const all = curvesOf(op, x, dimensions, filters);
  if (!all.length) return fill('latency-legend'), fill('latency-figure', html('p', {class: 'quiet'}, 'No row has these values together.'));
  const curves = chooseCurves(all);
  fill('latency-legend', curves.map((c, i) => html('span', {}, [svg('svg', {viewBox: '-7 -7 14 14'}, mark(i)), c.name])),
       curves.length < all.length ? html('em', {}, `${curves.length} of ${all.length} curves, spread over their range; choose values above to see others`) : null);
  fill('latency-figure', latencyPlot(op, curves, x));
}

function latencyPlot(op, curves, x) {
  const rows = curves.flatMap(c => c.rows), p = plot(1140, 440, `latency of ${op.id} over ${x.name}`, {left: 76, right: 20});
  const sx = logScale(rows.map(x.get), p.left + 10, p.right - 10);
  const sy = logScale(rows.flatMap(r => [r.latency_ms, r.sol_ms > 0 ? r.sol_ms : r.latency_ms, r.p90_ms || r.latency_ms]), p.bottom - 6, p.top + 6);
  axisX(p, sx, valueTicks(rows.map(x.get), sx, 46), String, x.doc ? `${x.name}: ${x.doc}` : x.name);
  axisY(p, sy, logTicks(sy.low, sy.high), timeText, 'latency');
  const marks = curves.flatMap((c, i) => drawCurve(p, c, i, x, sx, sy));
  for (const m of marks) p.root.append(m.node);
  p.root.setAttribute('tabindex', '0');
  followMarks(p.root, marks);
  return p.root;
}
