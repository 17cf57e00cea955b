/**
 * The binary form of row changes, the same in a record, on the crossover and in a snapshot.
 *
 *   operation   ┌────┬───────┬──────────┬────────────┬──────────┐
 *               │ op │ table │ id       │ length     │ fields   │
 *               │ u8 │ u8    │ varint   │ u32 LE     │ …        │
 *               └────┴───────┴──────────┴────────────┴──────────┘
 *               op: 1 insert (fields equal to their default are left out; replaces an equal id),
 *                   2 update (changed fields only), 3 remove (no length, no fields)
 *
 *   field       ┌───────────────────┬──────────────────────────────────────┐
 *               │ index << 2 | wire │ 0: varint   1: float64 LE            │
 *               │ u8                │ 2: varint length, bytes              │
 *               └───────────────────┴──────────────────────────────────────┘
 *
 * Two releases can pair: fields and tags are only ever appended, and what a reader does not know it
 * keeps. A field it does not know stays with its row as the bytes it came in (`$extra`, by index,
 * without those that have their default, exactly as the newer release would write them); a tag it
 * does not know becomes `#number`; a table it does not know is one whose every field is unknown
 * (tables.ts). All of it is written, compared and passed on like the rest.
 *
 * For each table the functions that write and read are generated from its field list: straight-line
 * code over one hidden class, no loop over descriptors. That is what keeps a row change under a
 * microsecond.
 */

import { assert } from '../base/assert.ts';
import type { Fields, Kind, RowOf, TableSpec, Values } from '../base/row.ts';
import { NEVER } from '../base/units.ts';

export const OP_INSERT = 1;
export const OP_UPDATE = 2;
export const OP_REMOVE = 3;

const WIRE_VARINT = 0;
const WIRE_FLOAT = 1;
const WIRE_BYTES = 2;

/** A row as the ledger sees it: its fields, and what the caches keep beside them. */
export type LiveRow = {
  readonly id: number;
  [field: string]: unknown;
  /** Number of its table. */
  readonly $table: number;
  /** Calendar's moment. */
  $due: number;
  /** Waits in the disk's dirty list. */
  $dirty: boolean;
  /** The disk has (or is being given) a version of it. */
  $stored: boolean;
  /** Removed; a reference to it is stale. */
  $gone: boolean;
  /** Fields of a newer release, as they came; undefined for none. */
  $extra: Uint8Array | undefined;
};

/** Text shorter than this is copied by a loop: cheaper than a call into the runtime. */
const SHORT_TEXT = 16;

type NodeBuffer = Buffer & {
  latin1Write(text: string, offset: number, length: number): number;
  latin1Slice(start: number, end: number): string;
};

/** A growing journal buffer. `buf[0 .. off)` is written. */
export class Writer {
  buf: NodeBuffer;
  view: DataView<ArrayBufferLike>;
  off = 0;

  constructor(size: number) {
    this.buf = Buffer.allocUnsafeSlow(size) as NodeBuffer;
    this.view = new DataView(this.buf.buffer, this.buf.byteOffset, this.buf.byteLength);
  }

  /** Makes room for `n` more bytes, keeping what lies from `keep` on. @returns bytes moved down. */
  need(n: number, keep = 0): number {
    if (this.off + n <= this.buf.length) return 0;
    const kept = this.off - keep;
    const grown = Math.max(this.buf.length, (kept + n) * 2);
    const next = Buffer.allocUnsafeSlow(grown) as NodeBuffer;
    this.buf.copy(next, 0, keep, this.off);
    this.buf = next;
    this.view = new DataView(next.buffer, next.byteOffset, next.byteLength);
    this.off = kept;
    return keep;
  }
}

/** @returns the offset after `n` written at `o` as a varint (7 bits a byte, low first). */
export function putVarint(buf: Uint8Array, o: number, n: number): number {
  let at = o;
  let v = n;
  while (v >= 0x8000_0000) {
    buf[at] = (v % 128) | 128;
    at += 1;
    v = Math.floor(v / 128);
  }
  while (v >= 128) {
    buf[at] = (v & 127) | 128;
    at += 1;
    v >>>= 7;
  }
  buf[at] = v;
  return at + 1;
}

/** @returns the offset after `text` written at `o` with its length before it. */
export function putText(buf: NodeBuffer, o: number, text: string): number {
  const n = text.length;
  let at = putVarint(buf, o, n);
  if (n < SHORT_TEXT) {
    for (let i = 0; i < n; i += 1) buf[at + i] = text.charCodeAt(i);
    at += n;
  } else {
    buf.latin1Write(text, at, n);
    at += n;
  }
  return at;
}

/** Cursor over received bytes. Reading past `end` sets `bad` and gives zeros; never throws. */
export class Reader {
  buf: NodeBuffer = Buffer.alloc(0) as NodeBuffer;
  view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
  off = 0;
  end = 0;
  bad = false;

  over(bytes: Uint8Array, from: number, end: number): this {
    if (bytes !== this.buf) {
      const b = Buffer.isBuffer(bytes)
        ? bytes
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.buf = b as NodeBuffer;
      this.view = new DataView(b.buffer, b.byteOffset, b.byteLength);
    }
    this.off = from;
    this.end = end;
    this.bad = end > bytes.length;
    return this;
  }

  u8(): number {
    if (this.off >= this.end) return this.fail();
    const v = this.buf[this.off] as number;
    this.off += 1;
    return v;
  }

  u32(): number {
    if (this.off + 4 > this.end) return this.fail();
    const v = this.view.getUint32(this.off, true);
    this.off += 4;
    return v;
  }

  f64(): number {
    if (this.off + 8 > this.end) return this.fail();
    const v = this.view.getFloat64(this.off, true);
    this.off += 8;
    return v;
  }

  varint(): number {
    let v = 0;
    let scale = 1;
    for (let i = 0; i < 8; i += 1) {
      if (this.off >= this.end) return this.fail();
      const b = this.buf[this.off] as number;
      this.off += 1;
      v += (b & 127) * scale;
      if (b < 128) return v <= Number.MAX_SAFE_INTEGER ? v : this.fail();
      scale *= 128;
    }
    return this.fail();
  }

  text(): string {
    const n = this.varint();
    if (this.off + n > this.end) {
      this.fail();
      return '';
    }
    const s = this.buf.latin1Slice(this.off, this.off + n);
    this.off += n;
    return s;
  }

  /** Skips a field of a wire type. */
  skip(wire: number): void {
    if (wire === WIRE_VARINT) this.varint();
    else if (wire === WIRE_FLOAT) this.f64();
    else if (wire === WIRE_BYTES) {
      const n = this.varint();
      if (this.off + n > this.end) this.fail();
      else this.off += n;
    } else this.fail();
  }

  private fail(): number {
    this.bad = true;
    this.off = this.end;
    return 0;
  }
}

export type Column = number | string | Uint8Array | null;

/** What the generator makes of a table's field list. */
export type Compiled = {
  readonly spec: TableSpec;
  readonly number: number;
  readonly names: readonly string[];
  /** A new live row: given values, defaults for the rest. */
  readonly create: (id: number, values: Values<Fields>) => LiveRow;
  /** Upper bound of bytes of an operation without the texts in it. */
  readonly most: number;
  /** Upper bound of bytes an insert of this row can take. */
  readonly size: (row: LiveRow | Values<Fields>) => number;
  /** Writes an insert operation. The writer has room. */
  readonly insert: (w: Writer, row: LiveRow) => void;
  /** Writes an update of the changed fields and applies it. @returns false when nothing changed. */
  readonly patch: (w: Writer, row: LiveRow, values: Values<Fields>) => boolean;
  /** Applies fields up to `r.end`. @returns fields this release does not know. */
  readonly read: (r: Reader, row: LiveRow) => number;
  /** Values in column order for SQLite: id, fields, then what is unknown. */
  readonly columns: (row: LiveRow) => Column[];
  readonly deadline: (row: RowOf<Fields>) => number;
};

function defaultOf(kind: Kind): string {
  if (kind === 'int' || kind === 'time') return '0';
  if (kind === 'flag') return 'false';
  if (kind === 'text') return "''";
  return JSON.stringify(kind[0]);
}

/** The statement that writes field `v` (already known to differ from its default). */
function writeField(index: number, kind: Kind): string {
  const tag = (wire: number): string => `b[o++]=${(index << 2) | wire};`;
  if (kind === 'int') return `${tag(WIRE_VARINT)}o=putVarint(b,o,v);`;
  if (kind === 'flag') return `${tag(WIRE_VARINT)}b[o++]=v?1:0;`;
  if (kind === 'time') return `${tag(WIRE_FLOAT)}w.view.setFloat64(o,v,true);o+=8;`;
  if (kind === 'text') return `${tag(WIRE_BYTES)}o=putText(b,o,v);`;
  return `${tag(WIRE_VARINT)}b[o++]=T${index}.get(v)??tagNumber(v);`;
}

function readField(index: number, name: string, kind: Kind): string {
  const wire = kind === 'time' ? WIRE_FLOAT : kind === 'text' ? WIRE_BYTES : WIRE_VARINT;
  const get =
    kind === 'time'
      ? 'r.f64()'
      : kind === 'text'
        ? 'r.text()'
        : kind === 'flag'
          ? 'r.varint()!==0'
          : kind === 'int'
            ? 'r.varint()'
            : `L${index}[n=r.varint()]??tagOf(n)`;
  return `case ${(index << 2) | wire}:row.${name}=${get};break;`;
}

const IDENTIFIER = /^[a-z][A-Za-z0-9]*$/;
const RESERVED = ['id', 'extra', '$table', '$due', '$dirty', '$stored', '$gone', '$extra'];

function most(spec: TableSpec): number {
  return 32 + Object.keys(spec.fields).length * 12;
}

/** The source of the generated functions; kept readable because a profile will show it. */
function source(spec: TableSpec): string {
  const fields = Object.entries(spec.fields);
  const lines: string[] = ["'use strict';"];
  fields.forEach(([, kind], i) => {
    if (typeof kind !== 'object') return;
    lines.push(`const L${i}=${JSON.stringify(kind)};`);
    lines.push(`const T${i}=new Map(L${i}.map((t,n)=>[t,n]));`);
  });
  const texts = fields.filter(([, k]) => k === 'text').map(([n]) => n);
  const init = fields.map(([n, k]) => `${n}:v.${n}===undefined?${defaultOf(k)}:v.${n},`);
  lines.push(
    `function create(id,v){return{id,${init.join('')}$table:${spec.number},$due:${NEVER},` +
      '$dirty:false,$stored:false,$gone:false,$extra:undefined};}',
    `function size(x){return ${most(spec)}${texts
      .map((n) => `+(x.${n}===undefined?0:x.${n}.length)`)
      .join('')}+(x.$extra===undefined?0:x.$extra.length);}`,
    'function head(w,op,id){const b=w.buf;let o=w.off;b[o++]=op;',
    `b[o++]=${spec.number};o=putVarint(b,o,id);return o;}`,
    'function insert(w,row){const b=w.buf;let o=head(w,1,row.id);const start=o;o+=4;let v;',
    ...fields.map(([n, k], i) => `v=row.${n};if(v!==${defaultOf(k)}){${writeField(i, k)}}`),
    'if(row.$extra!==undefined){b.set(row.$extra,o);o+=row.$extra.length;}',
    'w.view.setUint32(start,o-start-4,true);w.off=o;}',
    'function patch(w,row,p){const b=w.buf;let o=head(w,2,row.id);const start=o;o+=4;let v;',
    ...fields.map(([n, k], i) => {
      const change =
        spec.indexes[n] === undefined
          ? `${writeField(i, k)}row.${n}=v;`
          : `fixed('${spec.name}.${n}');`;
      return `v=p.${n};if(v!==undefined&&v!==row.${n}){${change}}`;
    }),
    'if(o===start+4)return false;w.view.setUint32(start,o-start-4,true);w.off=o;return true;}',
    'function read(r,row){let unknown=0,n;while(r.off<r.end){const t=r.u8();switch(t){',
    ...fields.map(([n, k], i) => readField(i, n, k)),
    'default:unknown++;keep(r,row,t);}}return unknown;}',
    `function columns(row){return[row.id,${fields
      .map(([n, k]) => (k === 'flag' ? `row.${n}?1:0,` : `row.${n},`))
      .join('')}row.$extra===undefined?null:row.$extra];}`,
    'return{create,size,insert,patch,read,columns};',
  );
  return lines.join('\n');
}

function fixed(what: string): never {
  assert(false, `${what} is indexed: it does not change during a row's life`);
  throw new Error('unreachable');
}

/** A tag of a newer release, and its number again. */
function tagOf(n: number): string {
  return `#${Math.min(n, 127)}`;
}
function tagNumber(tag: string): number {
  return Number(tag.slice(1));
}

/** Keeps the field of a newer release that begins with `tag`, just read. */
function keep(r: Reader, row: LiveRow, tag: number): void {
  const start = r.off - 1;
  r.skip(tag & 3);
  if (!r.bad) row.$extra = withField(row.$extra, r.buf.subarray(start, r.off));
}

/** @returns `extra` with this field in place of an older value of it, in order of their index. */
function withField(extra: Uint8Array | undefined, field: Uint8Array): Uint8Array | undefined {
  const index = (field[0] as number) >> 2;
  const parts: Uint8Array[] = [];
  let placed = field.subarray(1).every((byte) => byte === 0);
  const r = new Reader().over(extra ?? new Uint8Array(0), 0, extra?.length ?? 0);
  while (r.off < r.end) {
    const start = r.off;
    const tag = r.u8();
    r.skip(tag & 3);
    if (!placed && tag >> 2 >= index) {
      parts.push(field);
      placed = true;
    }
    if (tag >> 2 !== index) parts.push(r.buf.subarray(start, r.off));
  }
  if (!placed) parts.push(field);
  return parts.length === 0 ? undefined : Buffer.concat(parts);
}

/** Turns a field list into functions. Done once a table at start. */
export function compile(spec: TableSpec): Compiled {
  const names = Object.keys(spec.fields);
  assert(names.length <= 63, `${spec.name}: at most 63 fields`);
  assert(spec.number >= 1 && spec.number <= 63, `${spec.name}: number 1 .. 63`);
  for (const n of [spec.name, ...names]) {
    assert(IDENTIFIER.test(n) && !RESERVED.includes(n), `bad name ${n}`);
  }
  const needs = { putVarint, putText, fixed, keep, tagOf, tagNumber };
  const made = new Function(...Object.keys(needs), source(spec))(...Object.values(needs)) as Pick<
    Compiled,
    'create' | 'size' | 'insert' | 'patch' | 'read' | 'columns'
  >;
  const { number, deadline } = spec;
  return { spec, number, names, most: most(spec), deadline, ...made };
}
