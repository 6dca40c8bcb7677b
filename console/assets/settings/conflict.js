// Owns the display of a conflict, when another user changed the same settings: the differences, and
// which settings to keep.
import { get } from "../api.js";
import { usePoll } from "../poll.js";
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Button } from "../ui/controls.js";
import { Loading } from "../ui/states.js";
import { RelativeTime } from "../ui/time.js";
import { visible } from "../ui/visible.js";
import { FormError, useIntoView } from "./forms.js";

/**
 * @param {{what: string, path: string, differences: (theirs: Object) => string[],
 *   onTheirs: (theirs: Object) => void, onMine: (theirs: Object) => void}} props
 *   `path` is the path of the stored settings
 */
export function Conflict({ what, path, differences, onTheirs, onMine }) {
  const theirs = usePoll((signal) => get(path, { signal }), path, { intervalMs: 0 });
  const box = useIntoView(theirs.data);
  if (!theirs.data) {
    return theirs.error
      ? html`<${FormError} error=${theirs.error} />`
      : html`<${Loading} rows=${2} label="Loading the other change" />`;
  }
  const { updatedAt, updatedBy } = theirs.data;
  const texts = differences(theirs.data);
  return html`
    <div ref=${box} class="form-error conflict" role="alert">
      <${Icon} name="warning" />
      <div class="stack">
        <p>
          <b>Others changed ${what} while you were editing</b>:${" "}
          <bdi>${visible(updatedBy)}</bdi>,${" "}
          <${RelativeTime} at=${updatedAt} />. Your changes are not saved yet. Choose which version to keep.
        </p>
        <ul class="differences">
          ${(texts.length ? texts : ["Both versions are now the same."]).map((text) => html`
            <li key=${text}>${visible(text)}</li>
          `)}
        </ul>
        <p class="actions">
          <${Button} onClick=${() => onTheirs(theirs.data)}>Use their version<//>
          <${Button} kind="danger" onClick=${() => onMine(theirs.data)}>Save my version<//>
        </p>
      </div>
    </div>
  `;
}
