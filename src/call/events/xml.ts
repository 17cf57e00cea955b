/**
 * Text of strangers inside XML of ours: display names, tags, URIs. Everything that means something to
 * an XML reader is escaped, what no XML may hold is left out, and a long text is cut. What arrives is
 * latin1, one character an octet, and the documents are UTF-8: octets that are no UTF-8 become "?".
 */

const LONGEST = 512;

const ESCAPES: { readonly [c: number]: string } = {
  34: '&quot;',
  38: '&amp;',
  39: '&apos;',
  60: '&lt;',
  62: '&gt;',
};

/** Length of the UTF-8 sequence at `p`, 0 when there is none (RFC 3629 4). */
function sequence(text: string, p: number): number {
  const c = text.charCodeAt(p);
  const n = c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) === 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
  for (let i = 1; i < n; i += 1) if ((text.charCodeAt(p + i) & 0xc0) !== 0x80) return 0;
  const second = text.charCodeAt(p + 1);
  // overlong forms, surrogates, and what lies beyond the last code point
  if ((c === 0xe0 && second < 0xa0) || (c === 0xed && second > 0x9f)) return 0;
  if ((c === 0xf0 && second < 0x90) || (c === 0xf4 && second > 0x8f)) return 0;
  // U+FFFE and U+FFFF are no XML characters
  if (c === 0xef && second === 0xbf && text.charCodeAt(p + 2) >= 0xbe) return 0;
  return n;
}

/** `text` as content of an element or an attribute in double quotes. */
export function xml(text: string): string {
  if (text.length <= LONGEST && !/[^ !#-%(-;=?-~]/.test(text)) return text;
  let out = '';
  const end = Math.min(text.length, LONGEST);
  for (let p = 0; p < end; p += 1) {
    const c = text.charCodeAt(p);
    const escaped = ESCAPES[c];
    if (escaped !== undefined) out += escaped;
    else if (c >= 32 && c < 127) out += text[p];
    else if (c === 9) out += ' ';
    else if (c > 127) {
      const n = sequence(text, p);
      if (n === 0 || p + n > end) out += '?';
      else out += text.slice(p, p + n);
      if (n > 0) p += n - 1;
    }
  }
  return out;
}

export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\r\n';
