/**
 * The private enterprise number under which this product names its own things: objects of SIPAIR-MIB,
 * structured data of syslog. None is assigned to it yet. 32473 is the number that RFC 5612 reserves
 * for documentation: nobody else's, and no manager knows it. The maker of the box asks IANA for his
 * own and puts it here; nothing else changes.
 */

export const PEN = 32473;
