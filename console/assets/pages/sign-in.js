// Owns the sign-in page: at an issuer where one is configured, or with a token that is
// pasted, tried, and kept for this tab alone.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../ui/html.js";
import { Mark } from "../ui/icons.js";
import { Button, Field } from "../ui/controls.js";
import { Loading } from "../ui/states.js";
import { href } from "../router.js";
import { leaveForIssuer, signInSettings } from "../oidc.js";
import { signIn } from "../session.js";

function explain(error) {
  if (error.status === 401) return "This token is not accepted. It may be mistyped, expired or revoked.";
  if (error.status === 0) return `${error.message} Check that it runs, and try again.`;
  return error.message;
}

/** @param {{notice: ?string, endSessionUrl: ?string}} props of the session */
export default function SignIn({ notice, endSessionUrl }) {
  const [oidc, setOidc] = useState(undefined);
  useEffect(() => {
    // Without an answer the token is left.
    signInSettings().then(setOidc, () => setOidc(null));
  }, []);
  return html`<main class="sign-in"><div class="card sign-in-card">
    <div class="brand brand-large"><${Mark} /><h1>Flowtrail</h1></div>
    <p class="muted">The execution history of your workflows.</p>
    ${notice && html`<p class="notice" role="status">${notice}</p>`}
    ${oidc === undefined && html`<${Loading} rows=${2} />`}
    ${oidc && html`<${AtIssuer} settings=${oidc} endSessionUrl=${endSessionUrl} /><p class="or muted">or</p>`}
    ${oidc !== undefined && html`<${WithToken} isOnlyWay=${oidc === null} />`}
  </div></main>`;
}

/** Leads to the issuer, and back. */
function AtIssuer({ settings, endSessionUrl }) {
  const [error, setError] = useState(null);
  const [leaving, setLeaving] = useState(false);
  const { host } = new URL(settings.issuer);
  useEffect(() => {
    // Who comes back with the browser's button finds the page as it was left.
    const returned = (event) => event.persisted && setLeaving(false);
    addEventListener("pageshow", returned);
    return () => removeEventListener("pageshow", returned);
  }, []);
  const leave = async () => {
    setLeaving(true);
    setError(null);
    try {
      await leaveForIssuer(settings);
    } catch (problem) {
      setError(problem.message);
      setLeaving(false);
    }
  };
  return html`<div class="at-issuer">
    <${Button} kind="primary" autofocus disabled=${leaving} onClick=${leave}>${leaving ? "Leading you there …" : "Sign in with your account"}<//>
    <p class="field-note">At <bdi>${host}</bdi>, and back to this page.</p>
    ${error && html`<p class="notice" role="alert">${error}</p>`}
    ${endSessionUrl && html`<p class="field-note">You may still be signed in there. <a href=${endSessionUrl}>Sign out of <bdi>${host}</bdi></a></p>`}
  </div>`;
}

function WithToken({ isOnlyWay }) {
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
  return html`<form class="with-token" onSubmit=${submit}>
    <${Field} id="token" label="Token" error=${error} hint="Kept in this browser tab only, until you close it or sign out.">
      <input ref=${input} id="token" class="input mono" type="password" autocomplete="off" spellcheck=${false} autofocus=${isOnlyWay} placeholder="sdk_…"
        aria-invalid=${error ? "true" : null} aria-describedby="token-note" />
    <//>
    <${Button} kind=${isOnlyWay ? "primary" : "plain"} type="submit" disabled=${busy}>${busy ? "Signing in …" : isOnlyWay ? "Sign in" : "Sign in with the token"}<//>
    <details class="help"><summary>Where do I get a token?</summary>
      <p>From whoever runs Flowtrail for your team, in <b>Settings</b>, or on the server with</p>
      <pre tabindex="0"><code>flowtrail token create --team default --role viewer</code></pre>
      <p><code>flowtrail serve</code> prints an admin token when it starts.</p></details>
    <p class="field-note">For programs: <a href=${href("/api")}>the HTTP API</a></p>
  </form>`;
}
