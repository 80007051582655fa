// SPDX-License-Identifier: Apache-2.0
'use strict';
// The result page of a search. data: {subtitle, tiles: [[name, value]], notes: [text], x_title, limit: number or null,
//   series: [{name, points: [{x, y, chosen, facts: [[name, value]]}]}],
//   reason: text, chosen_facts: [[name, value]], origin: [[name, value]],
//   table: {columns: [text], rows: [[text or number]]}, launch: text}

const seriesColour = i => `var(--s${i % 8})`;

function markAt(point, x, y, colour, shape) {
  const cx = x(point.x), cy = y(point.y), size = point.chosen ? 7 : 4.5;
  const mark = shape % 2
    ? svg('rect', {x: cx - size, y: cy - size, width: 2 * size, height: 2 * size})
    : svg('circle', {cx, cy, r: size});
  return add(mark, {class: point.chosen ? 'mark on' : 'mark', style: `fill:${colour}`, tabindex: point.chosen ? 0 : -1});
}

function roundEnd(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map(f => f * power).find(v => v >= value * 1.02);
}
function ticksTo(end) { return [0, 1, 2, 3, 4, 5].map(i => i * end / 5); }

/// Arrow keys walk along all marks from left to right.
function walkWithKeys(marks) {
  marks.sort((a, b) => a.x - b.x).forEach(({mark}, i) => mark.addEventListener('keydown', event => {
    const next = marks[i + (event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : NaN)];
    if (next) { next.mark.focus(); event.preventDefault(); }
  }));
}

function drawFrontier() {
  const points = data.series.flatMap(s => s.points);
  if (!points.length) return html('p', {class: 'quiet'}, 'No configuration was found.');
  const p = plot(1100, 430, 'tokens per second and GPU over ' + data.x_title, {left: 70});
  const x = linearScale(0, roundEnd(Math.max(...points.map(q => q.x), data.limit || 0)), p.left, p.right);
  const y = linearScale(0, roundEnd(Math.max(...points.map(q => q.y))), p.bottom, p.top);
  axisX(p, x, ticksTo(x.high), digits, data.x_title);
  axisY(p, y, ticksTo(y.high), digits, 'tokens/s/gpu of the cluster');
  if (data.limit !== null)
    p.root.append(svg('line', {class: 'threshold', x1: x(data.limit), x2: x(data.limit), y1: p.top, y2: p.bottom}));
  const marks = [];
  data.series.forEach((series, i) => {
    const sorted = [...series.points].sort((a, b) => a.x - b.x);
    const path = sorted.map((q, k) => (k ? 'L' : 'M') + x(q.x).toFixed(1) + ' ' + y(q.y).toFixed(1)).join('');
    p.root.append(svg('path', {class: 'curve', d: path, style: `stroke:${seriesColour(i)}`}));
    for (const point of sorted) {
      const mark = markAt(point, x, y, seriesColour(i), i);
      tooltip(mark, () => point.facts);
      marks.push({x: point.x, mark});
    }
  });
  // Marks come after all lines, the chosen ones last, so that nothing covers them.
  for (const m of marks.filter(m => !m.mark.classList.contains('on'))) p.root.append(m.mark);
  for (const m of marks.filter(m => m.mark.classList.contains('on'))) p.root.append(m.mark);
  walkWithKeys(marks);
  return p.root;
}

function legendEntry(series, i) {
  const shape = markAt({x: 7, y: 7}, v => v, v => v, seriesColour(i), i);
  return html('span', {}, [svg('svg', {viewBox: '0 0 14 14', 'aria-hidden': 'true'}, [shape]), series.name]);
}

/// A table whose headings sort it; numbers by value, other cells as text.
function sortableTable(columns, rows) {
  const body = html('tbody');
  const cell = value => html('td', typeof value === 'number' ? {class: 'number'} : {}, typeof value === 'number' ? digits4(value) : value);
  const show = list => body.replaceChildren(...list.map(row => html('tr', {}, row.map(cell))));
  const order = {column: -1, sign: 1};
  const heads = columns.map((name, c) => {
    const button = html('button', {type: 'button', onclick: () => {
      order.sign = order.column === c ? -order.sign : 1;
      order.column = c;
      show([...rows].sort((a, b) => order.sign * (typeof a[c] === 'number' ? a[c] - b[c] : String(a[c]).localeCompare(String(b[c])))));
      heads.forEach((h, k) => h.setAttribute('aria-sort', k !== c ? 'none' : order.sign > 0 ? 'ascending' : 'descending'));
    }}, name);
    return html('th', {scope: 'col', class: rows.length && typeof rows[0][c] === 'number' ? 'number' : null}, button);
  });
  show(rows);
  return html('table', {}, [html('thead', {}, html('tr', {}, heads)), body]);
}
const digits4 = value => Number(value.toPrecision(5)).toString();

byId('subtitle').textContent = data.subtitle;
fill('notes', data.notes.map(text => html('p', {class: 'notice'}, text)));
fill('tiles', data.tiles.map(([name, value]) => html('div', {class: 'tile'}, [html('b', {}, value), html('span', {}, name)])));
fill('legend', data.series.filter(s => s.points.length).map((s) => legendEntry(s, data.series.indexOf(s))));
fill('plot', drawFrontier());
fill('reason', html('p', {}, data.reason));
fill('chosen-facts', pairs(data.chosen_facts));
fill('chosen-origin', pairs(data.origin));
fill('best-table', data.table.rows.length ? sortableTable(data.table.columns, data.table.rows) : html('p', {class: 'quiet'}, 'None.'));
byId('launch-text').textContent = data.launch;
