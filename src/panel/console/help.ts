/** `help`: how the console is used, in one screen. */

export const HELP: readonly string[] = [
  'Type ? anywhere to see what could stand there; Tab completes; words may be shortened.',
  '',
  '  show ...        look at something: show ha, show calls, show alarms, show log',
  '  request ...     make the box do something: request ha switchover, request support bundle',
  '  monitor sip     SIP as it is spoken; ^C ends',
  '  configure       change the configuration; nothing is active before commit',
  '  exit            log out',
  '',
  'Output: show log | match TEXT, | except TEXT, | last 20, | count, | json, | no-more.',
  'At --More--: space one screen, enter one line, / searches, q ends.',
  '',
  'Keys: arrows, home, end, delete; ^A ^E begin and end, ^B ^F one to the left and right,',
  '  ^W word, ^U to the begin, ^K to the end, ^Y puts it back, ^P ^N or arrows history,',
  '  ^R searches history, ^L draws the screen anew, ^C ends what runs, ^D logs out.',
];
