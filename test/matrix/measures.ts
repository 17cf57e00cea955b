/** Measures of the world of the matrix: shorter than shipped where a cell has to wait for one. */

/** A call nobody answers ends after this. */
export const PATIENT_MS = 25_000;
/** Shortest registration, s. */
export const BRIEF_S = 5;
