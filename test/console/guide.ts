/**
 * The operator's guide is run as it is written: its `serial` blocks are what a person sees and types
 * at a box's console. Nothing else tells the script what to do, so a page that is wrong fails.
 *
 *     ```serial a
 *     Name of this box [north-a]: › ward-a
 *     code: <code>
 *     …
 *     ```
 *
 *   text       must appear, in this order; blanks count as one
 *   › typed    what the person types after it, and Enter; `› ` alone is Enter; `^C` is that key
 *   <word>     anything; the same word means the same text in the whole guide, on both boxes
 *   …          whatever comes
 *
 * A prompt says how many alarms there are; a page that does not speak of them means any number.
 */

export type Step =
  | { readonly kind: 'see'; readonly box: string; readonly text: string; readonly line: number }
  | { readonly kind: 'type'; readonly box: string; readonly text: string; readonly line: number };

/** One console, by whatever wire. */
export type GuideConsole = {
  /** Waits for something of the screen that was not yet matched; the match. */
  expect(what: RegExp, name: string): Promise<readonly string[]>;
  /** Types it and Enter. */
  type(text: string): Promise<void>;
};

const FENCE = /^```(\w*)(?: (\w+))?\s*$/;
const TYPED = '›';

/** The steps of a page, in its order. Throws on a block that cannot be meant. */
export function stepsOf(page: string): Step[] {
  const steps: Step[] = [];
  let box: string | undefined;
  let inside = false;
  page.split('\n').forEach((text, i) => {
    const line = i + 1;
    const fence = FENCE.exec(text);
    if (fence !== null) {
      box = !inside && fence[1] === 'serial' ? fence[2] : undefined;
      if (!inside && fence[1] === 'serial' && box === undefined) {
        throw new Error(`line ${line}: whose console is it?`);
      }
      inside = !inside;
      return;
    }
    if (box === undefined || text.trim() === '' || text.trim() === '…') return;
    const at = text.indexOf(TYPED);
    const seen = (at < 0 ? text : text.slice(0, at)).trim();
    if (seen !== '') steps.push({ kind: 'see', box, text: seen, line });
    if (at >= 0) steps.push({ kind: 'type', box, text: text.slice(at + 1).trim(), line });
  });
  if (inside) throw new Error('a block has no end');
  return steps;
}

/** What a line of the guide matches: placeholders that are known already are what they were. */
export function patternOf(
  text: string,
  known: ReadonlyMap<string, string>,
): { readonly pattern: RegExp; readonly names: readonly string[] } {
  const names: string[] = [];
  const source = text
    .split(/(<\w+>|…|\s+)/)
    .map((part) => {
      if (part === '…') return '.*?';
      if (/^\s+$/.test(part)) return '\\s+';
      const name = /^<(\w+)>$/.exec(part)?.[1];
      if (name === undefined) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      const was = known.get(name);
      if (was !== undefined)
        return was.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ +/g, '\\s+');
      names.push(name);
      return '(\\S+(?: \\S+)*?)';
    })
    .join('');
  const whole = source.replace('\\)>', '(?:, \\d+ alarms?)?\\)>');
  // a placeholder at the end takes the rest of its line
  return { pattern: new RegExp(names.length > 0 ? `${whole}(?=\\s*[\\r\\n]|$)` : whole), names };
}

/** What was filled in for the placeholders. */
export type Run = { readonly known: ReadonlyMap<string, string> };

/** Goes through the steps at the consoles. Throws with page line, what was expected and what was there. */
export async function runGuide(
  page: string,
  consoles: ReadonlyMap<string, GuideConsole>,
  say: (text: string) => void,
): Promise<Run> {
  const known = new Map<string, string>();
  for (const step of stepsOf(page)) {
    const console = consoles.get(step.box);
    if (console === undefined) throw new Error(`line ${step.line}: there is no box ${step.box}`);
    if (step.kind === 'type') {
      const text = step.text.replace(/<(\w+)>/g, (_, name: string) => known.get(name) ?? '');
      say(`${step.box} › ${text}`);
      await console.type(text);
      continue;
    }
    const { pattern, names } = patternOf(step.text, known);
    const found = await console.expect(pattern, `line ${step.line} of the guide: ${step.text}`);
    names.forEach((name, i) => {
      known.set(name, found[i + 1] ?? '');
    });
    say(`${step.box}   ${step.text}`);
  }
  return { known };
}
