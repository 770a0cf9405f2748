/* Asks for the page again every two seconds; the server answers 304 while the run has not changed. */
(() => {
  "use strict";
  let tag = "";
  const note = document.createElement("p");
  note.className = "live";
  note.setAttribute("role", "status");
  document.querySelector(".brand").after(note);
  const ask = async () => {
    try {
      const answer = await fetch("/", { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
      if (answer.status === 200) {
        const changed = tag !== "";
        tag = answer.headers.get("ETag");
        if (changed) window.gandiagUpdate(new DOMParser().parseFromString(await answer.text(), "text/html"));
      }
      note.textContent = "Live";
      note.classList.remove("lost");
    } catch {
      note.textContent = "The server has gone: this is what it last said.";
      note.classList.add("lost");
    }
    setTimeout(ask, 2000);
  };
  ask();
})();
