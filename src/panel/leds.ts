/**
 * What the lights of a box mean: one table from what is known to colour and pattern. The pattern
 * carries the meaning as well as the colour, for those who do not see colours. Lamps, console, SNMP and
 * manual show the same from here.
 */

/** Lamps on the front, in their order. */
export const LED_NAMES = ['power', 'status', 'ha', 'alarm'] as const;
export type LedName = (typeof LED_NAMES)[number];

export type Colour = 'off' | 'green' | 'amber' | 'red';
/** double: two short flashes, then a pause. */
export type Blink = 'steady' | '1hz' | '2hz' | '4hz' | 'double';
export type LedState = { readonly colour: Colour; readonly blink: Blink };
export type Leds = { readonly [name in LedName]: LedState };
