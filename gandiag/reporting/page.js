/* Draws the charts when they come into view, in the colours of the theme; keeps their step axes together; runs the slider. */
(() => {
  "use strict";
  const read = (id, from = document) => JSON.parse(from.getElementById(id).textContent);
  let figures = read("figures");
  const config = read("config");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const DARK = { "#0072B2": "#4A9BE0", "#56B4E9": "#B5E0F7", "#D55E00": "#FF8A47", "#009E73": "#2FC79A", "#CC79A7": "#E09CC3", "#7A828C": "#9AA3AD" };
  const drawn = new Set();
  let zoom = null;
  let following = false;

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const recolor = (value) => {
    if (typeof value === "string") return DARK[value] || value;
    if (Array.isArray(value)) return value.map(recolor);
    if (value && typeof value === "object" && !("bdata" in value)) {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, k === "line" || k === "marker" || /color$/i.test(k) ? recolor(v) : v]));
    }
    return value;
  };
  const NARROW = 480;  /* pixels of a chart */
  const overSteps = (figure) => figure.layout.meta && figure.layout.meta.over === "steps";

  function themed(figure, width) {
    const night = dark.matches && !printing;
    const grid = css("--line"), soft = css("--soft");
    const data = night ? figure.data.map(recolor) : figure.data;
    const layout = structuredClone(figure.layout);
    Object.assign(layout, { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true });
    layout.font = { family: css("--sans"), size: 12, color: soft };
    layout.hoverlabel = { bgcolor: css("--card"), bordercolor: grid, font: { color: css("--ink"), family: css("--sans"), size: 12 } };
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: css("--faint"), activecolor: css("--ink") };
    for (const key of Object.keys(layout)) {
      if (/^[xy]axis\d*$/.test(key)) Object.assign(layout[key], { gridcolor: grid, linecolor: grid, zerolinecolor: grid });
    }
    for (const note of layout.annotations || []) note.bgcolor = css("--card");
    if (night) layout.shapes = (layout.shapes || []).map(recolor);
    if (zoom && overSteps(figure)) layout.xaxis.range = zoom.slice();
    if (width < NARROW && layout.legend && layout.legend.orientation === "v") {  /* beside the chart it would leave no room for it */
      layout.height += 22 * figure.data.filter((trace) => trace.showlegend !== false).length;
      layout.legend = { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" };
    }
    return [data, layout];
  }

  function render(id) {
    const box = document.getElementById("chart-" + id);
    if (!box || !figures[id] || typeof Plotly === "undefined") return;
    const [data, layout] = themed(figures[id], box.clientWidth);
    box.style.minHeight = layout.height + "px";
    const first = !drawn.has(id);
    drawn.add(id);
    Plotly.react(box, data, layout, config).then(() => { if (first) follow(id, box); });
  }

  function follow(id, box) {
    if (!overSteps(figures[id])) return;
    box.on("plotly_relayout", (change) => {
      if (following) return;
      if (change["xaxis.autorange"]) show(null);
      else if ("xaxis.range[0]" in change) show([change["xaxis.range[0]"], change["xaxis.range[1]"]]);
      else if (Array.isArray(change["xaxis.range"])) show(change["xaxis.range"]);
    });
  }

  /* One zoom for all charts over steps; null shows every step. */
  function show(range) {
    zoom = range;
    following = true;
    const moves = [...drawn].filter((id) => overSteps(figures[id])).map((id) =>
      Plotly.relayout("chart-" + id, { "xaxis.range": (range || figures[id].layout.xaxis.range).slice() }));
    Promise.all(moves).finally(() => { following = false; });
    tell();
  }

  const watcher = new IntersectionObserver((seen) => {
    for (const entry of seen) if (entry.isIntersecting) { watcher.unobserve(entry.target); render(entry.target.dataset.panel); }
  }, { rootMargin: "500px 0px" });
  document.querySelectorAll(".chart").forEach((box) => watcher.observe(box));

  /* Then, one at a time so that the page answers meanwhile, those that nobody has scrolled to yet. */
  function drawRest() {
    const box = [...document.querySelectorAll(".chart")].find((b) => figures[b.dataset.panel] && !drawn.has(b.dataset.panel));
    if (!box || typeof Plotly === "undefined") return;
    watcher.unobserve(box);
    render(box.dataset.panel);
    setTimeout(drawRest, 40);
  }
  addEventListener("load", () => setTimeout(drawRest, 300));

  /* The zoom for those who have no mouse, and what it stands at for everybody. */
  const from = document.querySelector(".zoom .from"), to = document.querySelector(".zoom .to"), all = document.querySelector(".zoom .all");
  const whole = () => { const f = Object.values(figures).find(overSteps); return f ? [0, f.layout.meta.last] : null; };
  function tell() {
    const range = zoom || whole();
    document.querySelector(".zoom").hidden = !range;
    if (range) { from.value = Math.max(0, Math.round(range[0])); to.value = Math.round(range[1]); }
    all.disabled = !zoom;
  }
  const go = () => { if (Number(to.value) > Number(from.value)) show([Number(from.value), Number(to.value)]); };
  document.querySelector(".zoom .go").addEventListener("click", go);
  for (const input of [from, to]) input.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
  all.addEventListener("click", () => show(null));
  tell();
  function zoomTo(text) {
    const match = /^(\d+)-(\d+)$/.exec(text || "");
    if (match) show([Number(match[1]), Number(match[2])]);
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-zoom]");
    if (!link) return;
    zoomTo(link.dataset.zoom);
    const panel = document.getElementById(link.dataset.then || "");
    if (panel) { event.preventDefault(); history.replaceState(null, "", link.getAttribute("href")); panel.scrollIntoView(); panel.focus({ preventScroll: true }); }
  });
  if (location.hash.startsWith("#zoom=")) zoomTo(location.hash.slice(6));

  let printing = false;
  const again = () => drawn.forEach(render);
  dark.addEventListener("change", again);
  addEventListener("beforeprint", () => { printing = true; Object.keys(figures).forEach(render); });
  addEventListener("afterprint", () => { printing = false; again(); });

  function slider() {
    const input = document.getElementById("when");
    if (!input) return;
    const frames = [...document.querySelectorAll(".frames > div")];
    const output = document.querySelector(".fakes output"), words = document.querySelector(".fakes .words"), play = document.querySelector(".play");
    let timer = 0;
    const turn = () => {
      frames.forEach((frame, i) => { frame.hidden = i !== Number(input.value); });
      const frame = frames[Number(input.value)];
      output.textContent = "step " + frame.dataset.step;
      words.textContent = frame.dataset.words + ".";
      input.setAttribute("aria-valuetext", output.textContent);
    };
    const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };
    input.addEventListener("input", () => { stop(); turn(); });
    play.addEventListener("click", () => {
      if (timer) { stop(); return; }
      if (Number(input.value) === frames.length - 1) input.value = 0;
      turn();
      play.textContent = "Pause";
      timer = setInterval(() => { input.value = Number(input.value) + 1; turn(); if (Number(input.value) === frames.length - 1) stop(); }, 350);
    });
  }
  slider();

  const links = new Map([...document.querySelectorAll(".contents li a")].map((a) => [a.getAttribute("href").slice(1), a]));
  const here = new IntersectionObserver((seen) => {
    for (const entry of seen) {
      if (!entry.isIntersecting) continue;
      links.forEach((a) => a.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "0px 0px -75% 0px" });
  links.forEach((a, id) => { const part = document.getElementById(id); if (part) here.observe(part); });

  /* What `gandiag watch` calls with a newer page: words and pictures are replaced, charts get the new points and keep their zoom. */
  window.gandiagUpdate = (page) => {
    const newer = read("figures", page);
    const samePanels = Object.keys(newer).join() === Object.keys(figures).join();
    figures = newer;
    document.title = page.title;
    if (samePanels) {
      for (const part of document.querySelectorAll("[data-live]")) {
        const now = page.getElementById(part.id);
        if (!now || now.innerHTML === part.innerHTML) continue;
        part.innerHTML = now.innerHTML;
        part.className = now.className;
        if (part.id === "samples") slider();
      }
      drawn.forEach(render);
    } else { /* a series was recorded for the first time: there are other panels now */
      drawn.clear();
      document.getElementById("content").innerHTML = page.getElementById("content").innerHTML;
      slider();
      document.querySelectorAll(".chart").forEach((box) => watcher.observe(box));
      setTimeout(drawRest, 300);
    }
  };
})();
