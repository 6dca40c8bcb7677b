// Owns what is shown when others have changed the same settings meanwhile: what differs,
// and whose shall hold.
import { get } from "../api.js";
import { usePoll } from "../poll.js";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button } from "../ui/controls.js";
import { Loading } from "../ui/states.js";
import { RelativeTime } from "../ui/time.js";
import { FormError, useIntoView } from "./forms.js";

/**
 * @param {{what: string, path: string, differences: (theirs: Object) => string[], onTheirs: (theirs: Object) => void, onMine: (theirs: Object) => void}} props
 *   `path` is where theirs are read
 */
export function Conflict({ what, path, differences, onTheirs, onMine }) {
  const theirs = usePoll((signal) => get(path, { signal }), path, { intervalMs: 0 });
  const box = useIntoView(theirs.data);
  if (!theirs.data) return theirs.error ? html`<${FormError} error=${theirs.error} />` : html`<${Loading} rows=${2} label="Loading the other change" />`;
  const { updatedAt, updatedBy } = theirs.data;
  const texts = differences(theirs.data);
  return html`<div ref=${box} class="form-error conflict" role="alert"><${Icon} name="warning" /><div class="stack">
    <p><b>Somebody has changed the ${what} meanwhile</b>: <bdi>${updatedBy}</bdi>, <${RelativeTime} at=${updatedAt} />. Nothing of yours was saved, and nothing of it is lost.</p>
    <ul class="differences">${(texts.length ? texts : ["Both are the same by now."]).map((text) => html`<li key=${text}>${text}</li>`)}</ul>
    <p class="actions"><${Button} onClick=${() => onTheirs(theirs.data)}>Take theirs, drop mine<//><${Button} kind="danger" onClick=${() => onMine(theirs.data)}>Save mine in its place<//></p></div></div>`;
}
