/** JSON as rows keep it: text of one byte a character, whatever it says. */

/** Like JSON.stringify, with every character beyond ASCII escaped. */
export function asciiJson(value: unknown): string {
  const text = JSON.stringify(value);
  let plain = true;
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) > 0x7e) {
      plain = false;
      break;
    }
  }
  if (plain) return text;
  let out = '';
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    out += code > 0x7e ? `\\u${code.toString(16).padStart(4, '0')}` : text[i];
  }
  return out;
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** The same for a text, which is nearly always one that needs no care. */
export function jsonText(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : asciiJson(text);
}

export type JsonObject = { readonly [name: string]: unknown };
