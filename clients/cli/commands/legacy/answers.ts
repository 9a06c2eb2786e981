/** How commands that speak to legacy programs end when these say no, or nothing. */
import { CommandFailure, EXIT } from '../../output.js';
import { textOf, type Where } from './addresses.js';

const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;

export function noAnswer(who: string, where: Where): CommandFailure {
  return unanswered(`the ${who} at ${textOf(where)} does not answer`);
}

export function unanswered(text: string): CommandFailure {
  return new CommandFailure(text, EXIT.refused(DEADLINE_EXCEEDED));
}

export function notFound(text: string): CommandFailure {
  return new CommandFailure(text, EXIT.refused(NOT_FOUND));
}

export function notPermitted(text: string): CommandFailure {
  return new CommandFailure(text, EXIT.refused(PERMISSION_DENIED));
}

export function unavailable(text: string): CommandFailure {
  return new CommandFailure(text, EXIT.refused(UNAVAILABLE));
}
