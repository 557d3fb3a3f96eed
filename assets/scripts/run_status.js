// Component: polls the text of the run whose id is its value. Triggers `change` when more than the text has changed, and
// `input` when there are new points to plot. `props`: poll_ms, chart_ms, ended_ms, retry_ms.
let run = null, version = null, key = null, plotted = null, plottedAt = 0, next = 0, busy = false, ended = false;
const parts = {};
const reset = () => {
  version = key = plotted = null; plottedAt = 0; next = 0; ended = false;
  for (const name in parts) delete parts[name];
  element.querySelectorAll('[data-part]').forEach((node) => { node.innerHTML = ''; });
};
const poll = async () => {
  const wanted = props.value || null;
  if (wanted !== run) { run = wanted; reset(); }
  const now = Date.now();
  if (!run || busy || document.hidden || element.offsetParent === null || now < next) return;
  busy = true;
  try {
    const answer = await server.status({run: run, since: version});
    if ((props.value || null) !== run) return;
    if (!answer || typeof answer !== 'object') throw new Error('no answer');
    if (!answer.unchanged) {
      version = answer.version; ended = answer.ended;
      for (const name in answer.parts) {
        if (parts[name] === answer.parts[name]) continue;
        parts[name] = answer.parts[name];
        const node = element.querySelector(`[data-part="${name}"]`);
        if (node) node.innerHTML = answer.parts[name];
      }
      if (answer.key !== key) {
        key = answer.key; plottedAt = now; trigger('change');
        // The browser may skip the last points if they arrive with many other updates: request them once more.
        if (ended) next = now + props.retry_ms; else plotted = version;
        return;
      }
    }
    if (plotted !== version && (ended || now - plottedAt >= props.chart_ms)) {
      plotted = version; plottedAt = now; trigger('input');
    }
    next = now + (ended && plotted === version ? props.ended_ms : 0);
  } catch (error) {
    window.dispatchEvent(new CustomEvent('autotrain-disconnected'));
    next = now + 2000;
  } finally { busy = false; }
};
const timer = setInterval(() => { if (element.isConnected) poll(); else clearInterval(timer); }, props.poll_ms);
watch('value', poll);
poll();
