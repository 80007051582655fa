// SPDX-License-Identifier: Apache-2.0
// Tiles, tables and the choice of the op.

const outcomeNames = Object.keys(data.summary.outcomes);

function tile(value, label, bad) {
  return html('div', {class: bad ? 'tile bad' : 'tile'}, [html('b', {}, value), html('span', {}, label)]);
}
function drawTiles() {
  const s = data.summary, total = outcomeNames.reduce((n, name) => n + s.outcomes[name], 0), failures = s.outcomes.failed + s.outcomes.crashed + s.outcomes.timed_out;
  fill('tiles', tile(s.outcomes.measured.toLocaleString('en'), `measured of ${total.toLocaleString('en')} cases tried`),
       tile(failures.toLocaleString('en'), `failed, crashed or timed out; ${s.outcomes.skipped.toLocaleString('en')} skipped`, failures > 0),
       tile(s.efficiency ? percent(s.efficiency.p50) : '-', 'median efficiency against speed of light'),
       tile(s.rel_ci95 ? percent(s.rel_ci95.p50) : '-', 'median half-width of the 95 % interval'),
       tile(s.drift ? percent(s.drift.p95) : '-', s.drift ? `95th percentile of the change when measured again (${s.drift.n} cases)` : 'nothing was measured again'),
       tile(s.suspicious.toLocaleString('en'), 'suspicious rows', s.suspicious > 0));
}

function drawOutcomes() {
  fill('outcome-bars', html('div', {class: 'legend'}, outcomeNames.map(name => html('span', {}, [
    svg('svg', {viewBox: '0 0 14 14'}, svg('rect', {width: 14, height: 14, style: `fill:var(--${name})`})), name.replace('_', ' ')]))),
  table(data.ops, [
    {title: 'op', cell: op => op.id},
    {title: '', wide: true, cell: op => {
      const total = outcomeNames.reduce((n, name) => n + op.outcomes[name], 0);
      return html('div', {class: 'bar', role: 'img', 'aria-label': outcomeNames.map(n => `${op.outcomes[n]} ${n}`).join(', ')},
                  outcomeNames.filter(n => op.outcomes[n]).map(n => html('i', {style: `width:${op.outcomes[n] / total * 100}%;background:var(--${n})`, title: `${op.outcomes[n]} ${n}`})));
    }},
    ...outcomeNames.map(name => ({title: name.replace('_', ' '), number: true, cell: op => op.outcomes[name].toLocaleString('en')}))
  ], 'The journal holds no case.'));
}

function drawMachine() {
  const s = data.system;
  if (!s) return fill('machine-facts'), fill('machine-peaks', html('p', {class: 'quiet'}, 'No system description.'));
  const cpu = s.cpu || {}, cuda = s.cuda || {}, facts = [['system', s.system], ['device', s.device]];
  if (cpu.cores) facts.push(['cores', `${cpu.cores}` + (cpu.threads_per_core ? `, ${cpu.threads_per_core} thread(s) each` : '') + (cpu.sockets ? `, ${cpu.sockets} socket(s)` : '') + (cpu.numa_nodes ? `, ${cpu.numa_nodes} NUMA node(s)` : '')]);
  if (cuda.sm_version) facts.push(['compute capability', cuda.sm_version / 10]);
  if (cuda.power_limit_w) facts.push(['power limit', `${cuda.power_limit_w} W`]);
  if (cuda.max_clock_mhz) facts.push(['highest clock', `${cuda.max_clock_mhz} MHz`]);
  facts.push(['memory', bytesText(s.memory_bytes)]);
  if (s.caches) facts.push(['caches', s.caches.map(c => `L${c.level} ${bytesText(c.bytes)} x ${c.instances}`).join(', ')]);
  else if (s.llc_bytes) facts.push(['last-level cache', bytesText(s.llc_bytes)]);
  if (cpu.isa) facts.push(['instruction sets', cpu.isa.join(' ')]);
  if (s.versions) facts.push(['versions', Object.entries(s.versions).map(e => e.join(' ')).join(', ')]);
  if (s.probed_at) facts.push(['probed at', s.probed_at]);
  fill('machine-facts', ...pairs(facts).childNodes);
  const peaks = [['memory bandwidth', s.memory_bandwidth_bytes_per_s, 'B/s'], ['last-level cache', s.llc_bandwidth_bytes_per_s, 'B/s'],
                 ...Object.entries(s.flops_per_s || {}).map(([type, figure]) => [`matrix ${type}`, figure, 'FLOP/s'])];
  fill('machine-peaks', table(peaks.map(([name, figure, unit]) => ({name, figure: figure || {}, unit})), [
    {title: 'peak', cell: p => p.name}, {title: 'data sheet', number: true, cell: p => rateText(p.figure.datasheet, p.unit)},
    {title: 'measured', number: true, cell: p => rateText(p.figure.measured, p.unit)},
    {title: '95 % interval', number: true, cell: p => p.figure.measured_rel_ci95 === undefined ? '-' : '+- ' + percent(p.figure.measured_rel_ci95)},
    {title: 'of data sheet', number: true, cell: p => p.figure.measured && p.figure.datasheet ? percent(p.figure.measured / p.figure.datasheet) : '-'}], ''));
}

const rowColumns = [
  {title: 'case', wide: true, cell: r => [html('div', {}, caseText(r)), code(r.repro)]},
  {title: 'kernel', cell: r => r.kernel},
  {title: 'latency', number: true, cell: r => timeText(r.latency_ms)},
  {title: '+-', number: true, cell: r => percent(r.rel_ci95)},
  {title: 'speed of light', number: true, cell: r => timeText(r.sol_ms)},
  {title: 'efficiency', number: true, cell: r => r.efficiency === null ? '-' : digits(r.efficiency)}];

function drawRows(op) {
  const rows = rowsOf(op), suspicious = rows.filter(r => r.suspicions), shown = 12;
  const weight = r => (r.suspicions.includes('light') ? 1000 : 0) + r.suspicions.split(';').length * 10 + r.rel_ci95;
  suspicious.sort((a, b) => weight(b) - weight(a));
  fill('suspicious-rows', table(suspicious.slice(0, shown), [rowColumns[0], {title: 'why', wide: true, cell: r => html('span', {class: 'warn'}, r.suspicions)}, ...rowColumns.slice(2)], 'Nothing strange.'),
       more(Math.min(shown, suspicious.length), suspicious.length, 'suspicious rows'));
  fill('slowest-rows', table(rows.slice().sort((a, b) => b.latency_ms - a.latency_ms).slice(0, 8), rowColumns, 'No rows.'));
  fill('inefficient-rows', table(rows.filter(r => r.efficiency !== null).sort((a, b) => a.efficiency - b.efficiency).slice(0, 8), rowColumns, 'No efficiency is known.'));
}

function drawFailures() {
  fill('failure-table', table(data.failures, [
    {title: 'outcome', cell: f => html('span', {class: 'bad'}, f.outcome.replace('_', ' '))},
    {title: 'case', wide: true, cell: f => [html('div', {}, f.case), code(f.repro)]}, {title: 'reason', wide: true, cell: f => f.reason},
    {title: 'attempts', number: true, cell: f => String(f.attempts)}, {title: 'log', cell: f => f.log}], 'No case failed.'),
    more(data.failures.length, data.failure_count, 'failures'));
  fill('skip-table', table(data.skips, [{title: 'op', cell: s => s.op}, {title: 'cases', number: true, cell: s => String(s.cases)},
    {title: 'reason', wide: true, cell: s => s.reason}, {title: 'example', wide: true, cell: s => code(s.repro)}], 'No case was skipped.'));
  fill('damage', ...data.breakers.map(b => html('p', {class: 'notice'}, `${b.op} was given up: ${b.reason}`)),
       ...data.damaged.map(text => html('p', {class: 'notice'}, `Not a record, left out: ${text}`)));
}

function drawRuns() {
  const list = map => Object.entries(map).map(e => e.join(' ')).join(', ');
  fill('run-table', table(data.runs, [
    {title: 'run', cell: r => [html('div', {}, r.run_id), html('span', {class: 'quiet'}, `${r.date} on ${r.host}`)]},
    {title: 'ended', cell: r => r.end ? r.end.replace('_', ' ') + (r.not_attempted ? `, ${r.not_attempted} cases left` : '') : html('span', {class: 'warn'}, 'did not end in order')},
    {title: 'back end', cell: r => `${r.backend} ${r.backend_version}`}, {title: 'versions', wide: true, cell: r => [r.worker, r.tool, list(r.versions)].filter(t => t).join(', ')},
    {title: 'command and options', wide: true, cell: r => [code(r.command), html('div', {class: 'quiet'}, list(r.options))]}], 'No run record.'));
}

function drawOp(op) {
  for (const node of document.querySelectorAll('.of-op')) node.textContent = op.id;
  const state = op.state = op.state || {};
  drawLatency(op, state);
  drawEfficiencyHistogram(op);
  drawHeat(op, state);
  drawRows(op);
}

function main() {
  const run = data.runs[data.runs.length - 1];
  byId('subtitle').textContent = [data.system ? data.system.device : run && run.device, run && `${run.backend} ${run.backend_version}`, run && run.date].filter(t => t).join(' - ');
  const sampled = data.ops.filter(op => op.rows.length < op.measured);
  fill('notes', [...data.notes, ...sampled.map(op => `${op.id}: ${op.rows.length} of ${op.measured} rows are in this page (suspicious ones and a fixed sample); counts and percentiles cover all.`)].map(text => html('p', {class: 'notice'}, text)));
  drawTiles();
  drawOutcomes();
  drawMachine();
  drawNoise();
  drawDrift();
  drawFailures();
  drawRuns();
  const select = byId('op');
  select.append(...data.ops.map(op => html('option', {}, op.id)));
  select.addEventListener('change', () => drawOp(data.ops[select.selectedIndex]));
  const wanted = data.ops.findIndex(op => '#op=' + op.id === location.hash);
  if (data.ops.length) { select.selectedIndex = Math.max(0, wanted); drawOp(data.ops[select.selectedIndex]); }
}
main();
