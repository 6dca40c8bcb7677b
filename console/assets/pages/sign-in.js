// Owns the sign-in page: a token is pasted, tried, and kept for this tab alone.
import { useRef, useState } from "preact/hooks";
import { html } from "../ui/html.js";
import { Mark } from "../ui/icons.js";
import { Button, Field } from "../ui/controls.js";
import { signIn } from "../session.js";

function explain(error) {
  if (error.status === 401) return "This token is not accepted. It may be mistyped, expired or revoked.";
  if (error.status === 0) return `${error.message} Check that it runs, and try again.`;
  return error.message;
}

/** @param {{notice: ?string}} props */
export default function SignIn({ notice }) {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const input = useRef(null);
  const submit = async (event) => {
    event.preventDefault();
    const token = input.current.value.trim().replace(/^Bearer\s+/i, "");
    if (!token) return setError("Paste a token first.");
    if (/[^\x21-\x7e]/.test(token)) return setError("A token has no spaces or special characters. Was something else pasted?");
    setBusy(true);
    setError(null);
    try {
      await signIn(token);
    } catch (problem) {
      setError(explain(problem));
      setBusy(false);
      input.current?.focus();
    }
  };
  return html`<main class="sign-in"><form class="card sign-in-card" onSubmit=${submit}>
    <div class="brand brand-large"><${Mark} /><h1>Flowtrail</h1></div>
    <p class="muted">The execution history of your workflows.</p>
    ${notice && html`<p class="notice" role="status">${notice}</p>`}
    <${Field} id="token" label="Token" error=${error} hint="Kept in this browser tab only, until you close it or sign out.">
      <input ref=${input} id="token" class="input mono" type="password" autocomplete="off" spellcheck=${false} autofocus placeholder="sdk_…"
        aria-invalid=${error ? "true" : null} aria-describedby="token-note" />
    <//>
    <${Button} kind="primary" type="submit" disabled=${busy}>${busy ? "Signing in …" : "Sign in"}<//>
    <details class="help"><summary>Where do I get a token?</summary>
      <p>From whoever runs Flowtrail for your team, in <b>Settings</b>, or on the server with</p>
      <pre tabindex="0"><code>flowtrail token create --team default --role viewer</code></pre>
      <p><code>flowtrail serve</code> prints an admin token when it starts.</p></details>
  </form></main>`;
}
