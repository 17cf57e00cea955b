/**
 * The words of the configuration tree: what a tree is, what a mistake is, and the language the schema
 * is written in. One tree describes both boxes of a pair; `schema.ts` says what may stand in it, the
 * other files of this room read, change, print and translate it. Everything here is data.
 */

export type Scalar = string | number | boolean;
export type Value = Scalar | readonly Scalar[];
/** Groups and entries by name, values at the ends. What is not there has its default. */
export type Tree = { readonly [name: string]: Tree | Value };

/** Stable codes of everything that can be wrong with a tree or with words about it. */
export const FAULT_CODES = [
  /** Nothing has this name here. */
  'tree-unknown',
  /** The beginning of more than one name. */
  'tree-ambiguous',
  /** The words end before anything is said. */
  'tree-incomplete',
  'tree-missing-value',
  /** Words after the value. */
  'tree-extra',
  'tree-type',
  'tree-range',
  'tree-choice',
  /** No name for an entry of this kind. */
  'tree-key',
  /** More than there may be. */
  'tree-full',
  /** What must be there is not. */
  'tree-missing',
  /** To be deleted or shown, and not there. */
  'tree-absent',
  /** Named, and nowhere. */
  'tree-reference',
  /** Two things exclude each other. */
  'tree-conflict',
  /** A hidden secret that nobody can put back. */
  'tree-secret',
  'tree-quote',
  'tree-syntax',
  /** Written by a newer release, or no configuration. */
  'tree-format',
] as const;
export type FaultCode = (typeof FAULT_CODES)[number];

export type Fault = {
  readonly code: string;
  /** Words of `set` that lead there, joined by spaces; '' for the whole. */
  readonly place: string;
  /** What would be right. */
  readonly text: string;
  /** Where in a text that was read, from 1. */
  readonly line?: number;
  readonly column?: number;
};

/** live: taken over while calls go on. restart: the daemon begins anew, one box after the other. */
export type Apply = 'live' | 'restart';

export type Type =
  /** Printable ASCII. `pattern` is a regular expression for all of it, `what` says it in words. */
  | {
      readonly type: 'text';
      readonly max?: number;
      readonly empty?: true;
      readonly pattern?: string;
      readonly what?: string;
    }
  | {
      readonly type: 'int';
      readonly min: number;
      readonly max: number;
      readonly unit?: string;
    }
  | { readonly type: 'flag' }
  | { readonly type: 'enum'; readonly words: { readonly [word: string]: string } }
  | { readonly type: 'ipv4' | 'ip' }
  /** `192.0.2.0/24`. */
  | { readonly type: 'prefix' }
  /** off: 0 says that it is not served. */
  | { readonly type: 'port'; readonly off?: true }
  | { readonly type: 'ports' }
  /** host: a name or an address. server: an address, with or without a port. */
  | { readonly type: 'hostname' | 'host' | 'server' }
  | { readonly type: 'uri' }
  /** Of the dial plan. front: what `!` may follow. */
  | { readonly type: 'pattern'; readonly front?: true }
  | { readonly type: 'digits' }
  | { readonly type: 'path' | 'interface' | 'timeZone' }
  /** Name of an entry of one of these maps, or one of `words`. */
  | {
      readonly type: 'name';
      readonly of: readonly string[];
      readonly words?: readonly string[];
    }
  /** Keys: a number, or `N-M`; an agent, or `agentN-agentM`. */
  | { readonly type: 'extension' | 'numbers' | 'agents' };

export type Leaf = {
  readonly kind: 'leaf';
  readonly help: string;
  readonly type: Type;
  readonly apply: Apply;
  readonly secret?: true;
  /** What holds when it is not there. */
  readonly default?: Scalar;
  /** Needed wherever the group around it is there. */
  readonly must?: true;
};

export type LeafList = {
  readonly kind: 'list';
  readonly help: string;
  readonly type: Type;
  readonly apply: Apply;
  readonly most: number;
  readonly default?: readonly Scalar[];
  readonly must?: true;
};

export type Container = {
  readonly kind: 'container';
  readonly help: string;
  readonly children: Children;
  /** Says something by being there, even empty. */
  readonly presence?: true;
  /** Is taken to be there: what it must have is needed in any case. */
  readonly must?: true;
  /** Of its being there. */
  readonly apply: Apply;
};

export type MapNode = {
  readonly kind: 'map';
  readonly help: string;
  /** What the key is called in help: `<number>`. */
  readonly keyName: string;
  readonly key: Type;
  readonly most: number;
  readonly children: Children;
  /** Of an entry's being there. */
  readonly apply: Apply;
  /** In the daemon's file it is an array whose objects have the key in this field; '' for none. */
  readonly array?: '' | 'name' | 'address';
};

export type Node = Container | MapNode | Leaf | LeafList;
export type Children = { readonly [name: string]: Node };

type More<N> = Partial<Omit<N, 'kind' | 'help' | 'type' | 'children' | 'apply'>>;
type KeyOf = Pick<MapNode, 'keyName' | 'key' | 'most'> & Partial<Pick<MapNode, 'array'>>;

/** What writes the schema: nodes whose changes are applied in one way. */
export function nodes(apply: Apply): {
  readonly leaf: (help: string, type: Type, more?: More<Leaf>) => Leaf;
  readonly list: (help: string, type: Type, most: number, more?: More<LeafList>) => LeafList;
  readonly group: (help: string, children: Children, more?: More<Container>) => Container;
  readonly map: (help: string, key: KeyOf, children: Children) => MapNode;
} {
  return {
    leaf: (help, type, more = {}) => ({ kind: 'leaf', help, type, apply, ...more }),
    list: (help, type, most, more = {}) => ({ kind: 'list', help, type, most, apply, ...more }),
    group: (help, children, more = {}) => ({ kind: 'container', help, children, apply, ...more }),
    map: (help, key, children) => ({ kind: 'map', help, children, apply, ...key }),
  };
}

/** What stands in place of a secret wherever a person may look, and in a text that was shown. */
export const MASK = '/* secret */';

export function isTree(v: Tree | Value | undefined): v is Tree {
  return typeof v === 'object' && !Array.isArray(v);
}

/** Tells a fault from a tree: no word at the top of the schema is called `code`. */
export function isTreeFault(v: unknown): v is Fault {
  const o = v as Partial<Fault> | undefined;
  return typeof o === 'object' && o !== null && typeof o.code === 'string' && 'text' in o;
}

export function faultAt(code: FaultCode, words: readonly string[], text: string): Fault {
  return { code, place: placeText(words), text };
}

/** Words as a person would type them. */
export function placeText(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

/** A word, in quotes when it would not be one word without, or `|` or `?` where it is typed. */
export function quoted(word: string): string {
  if (/^[^\s"'{}[\];#\\|?]+$/.test(word) && !word.startsWith('/*')) return word;
  return `"${word.replace(/["\\]/g, '\\$&')}"`;
}
