// What this browser remembers, and by what name the kernel knows this tab.

function stored(name, otherwise) { try { return Number(localStorage.getItem(name)) || otherwise; } catch { return otherwise; } }
function store(name, value) { try { localStorage.setItem(name, value); } catch { /* a private window forgets */ } }

function storedClient() {  // the same after a reload of this tab, so that a reload is not a second window
  try {
    let client = sessionStorage.getItem("elsa-client");
    if (!client) sessionStorage.setItem("elsa-client", client = newId());
    return client;
  } catch { return Math.random().toString(36).slice(2); }
}

const newId = () => (crypto.randomUUID ? crypto.randomUUID() : Math.random().toString(36).slice(2));
