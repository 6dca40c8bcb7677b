// Owns the sign-in page: at an issuer, if one is configured, or with a pasted token that is checked
// and kept for this tab only.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../ui/html.js";
import { Mark } from "../ui/icons.js";
import { Button, Field } from "../ui/controls.js";
import { Loading } from "../ui/states.js";
import { href } from "../router.js";
import { openIssuer, signInSettings } from "../oidc.js";
import { signIn } from "../session.js";

function explain(error) {
  if (error.status === 401) {
    return "This token is not accepted. Check for typing errors; it may also have expired or been revoked.";
  }
  if (error.status === 0) return `${error.message} Check that it runs, and try again.`;
  return error.message;
}

/** @param {{notice: ?string, endSessionUrl: ?string}} props of the session */
export default function SignIn({ notice, endSessionUrl }) {
  const [oidc, setOidc] = useState(undefined);
  useEffect(() => {
    // If the settings cannot be loaded, signing in with a token is still possible.
    signInSettings().then(setOidc, () => setOidc(null));
  }, []);
  return html`
    <main class="sign-in">
      <div class="card sign-in-card">
        <div class="brand brand-large">
          <${Mark} />
          <h1>Flowtrail</h1>
        </div>
        <p class="muted">The execution history of your workflows.</p>
        ${notice && html`<p class="notice" role="status">${notice}</p>`}
        ${oidc === undefined && html`<${Loading} rows=${2} />`}
        ${oidc && html`
          <${AtIssuer} settings=${oidc} endSessionUrl=${endSessionUrl} />
          <p class="or muted">or</p>
        `}
        ${oidc !== undefined && html`<${WithToken} isOnlyWay=${oidc === null} />`}
      </div>
    </main>
  `;
}

/** The button that opens the issuer's page. */
function AtIssuer({ settings, endSessionUrl }) {
  const [error, setError] = useState(null);
  const [leaving, setLeaving] = useState(false);
  const { host } = new URL(settings.issuer);
  useEffect(() => {
    // The browser's Back button shows the page as it was left.
    const returned = (event) => event.persisted && setLeaving(false);
    addEventListener("pageshow", returned);
    return () => removeEventListener("pageshow", returned);
  }, []);
  const leave = async () => {
    setLeaving(true);
    setError(null);
    try {
      await openIssuer(settings);
    } catch (problem) {
      setError(problem.message);
      setLeaving(false);
    }
  };
  return html`
    <div class="at-issuer">
      <${Button} kind="primary" autofocus disabled=${leaving} onClick=${leave}>
        ${leaving ? "Opening …" : "Sign in with your account"}
      <//>
      <p class="field-note">
        Opens <bdi>${host}</bdi> and returns to this page.
      </p>
      ${error && html`<p class="notice" role="alert">${error}</p>`}
      ${endSessionUrl && html`
        <p class="field-note">
          You may still be signed in at the issuer.${" "}
          <a href=${endSessionUrl}>
            Sign out of <bdi>${host}</bdi>
          </a>
        </p>
      `}
    </div>
  `;
}

function WithToken({ isOnlyWay }) {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const input = useRef(null);
  const submit = async (event) => {
    event.preventDefault();
    const token = input.current.value.trim().replace(/^Bearer\s+/i, "");
    if (!token) return setError("Paste a token first.");
    if (/[^\x21-\x7e]/.test(token)) {
      return setError("A token has no spaces or special characters. Paste only the token.");
    }
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
  return html`
    <form class="with-token" onSubmit=${submit}>
      <${Field}
        id="token"
        label="Token"
        error=${error}
        hint="Kept in this browser tab only, until you close it or sign out."
      >
        <input
          ref=${input}
          id="token"
          class="input mono"
          type="password"
          autocomplete="off"
          spellcheck=${false}
          autofocus=${isOnlyWay}
          placeholder="sdk_…"
          aria-invalid=${error ? "true" : null}
          aria-describedby="token-note"
        />
      <//>
      <${Button} kind=${isOnlyWay ? "primary" : "plain"} type="submit" disabled=${busy}>
        ${busy ? "Signing in …" : isOnlyWay ? "Sign in" : "Sign in with the token"}
      <//>
      <details class="help">
        <summary>Where do I get a token?</summary>
        <p>
          An admin of your team can create one in <b>Settings</b>, or on the server with
        </p>
        <pre tabindex="0">
          <code>flowtrail token create --team default --role viewer</code>
        </pre>
        <p>
          With <code>flowtrail serve</code> you need no token: it prints a sign-in link when it starts. Print
          another link with
        </p>
        <pre tabindex="0">
          <code>flowtrail sign-in</code>
        </pre>
      </details>
      <p class="field-note">
        For programs: <a href=${href("/api")}>the HTTP API</a>
      </p>
    </form>
  `;
}
