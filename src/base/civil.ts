/** A day of the calendar from a count of days, where no clock and no time zone is asked. */

export type CivilDay = { readonly year: number; readonly month: number; readonly day: number };

/**
 * @param days since 1970-01-01, UTC; whole, may be negative.
 * @returns the proleptic Gregorian date; month and day from 1. Years are counted from March (H. Hinnant, days to civil date), so that
 *   the leap day is the last of its year.
 */
export function civilDay(days: number): CivilDay {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const leaps = Math.floor(doe / 1460) - Math.floor(doe / 36_524) + Math.floor(doe / 146_096);
  const yoe = Math.floor((doe - leaps) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return {
    year: yoe + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: doy - Math.floor((153 * mp + 2) / 5) + 1,
  };
}
