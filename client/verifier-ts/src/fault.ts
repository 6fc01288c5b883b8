// What goes wrong: first without a place, where a rule is broken; then at its place in the record.

/** A rule of the specification is broken. */
export class Refused extends Error {
  constructor(
    /** The number of the rule, such as `6.4.5`. */
    readonly rule: string,
    /** What is wrong, in words. */
    readonly what: string,
  ) {
    super(`${rule}: ${what}`);
    this.name = 'Refused';
  }
}

/** Where in a record something stands, and who answers for it. */
export interface Place {
  /** The number of the check (spec 9.2). */
  readonly check: number;
  /** The object, such as a block, a ballot by its tracking code, a batch. */
  readonly object: string;
  /** The party that answers for it. */
  readonly party: string;
}

/** A check of spec 9.2 fails. */
export class Fault extends Error {
  constructor(
    readonly place: Place,
    readonly rule: string,
    readonly what: string,
  ) {
    super(`check ${place.check}, ${place.object}: ${what} (${rule}; ${place.party})`);
    this.name = 'Fault';
  }

  static at(place: Place, refused: Refused): Fault {
    return new Fault(place, refused.rule, refused.what);
  }
}

/** Runs `work`; a rule that it breaks is a fault at `place`. */
export function at<T>(place: Place, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refused) throw Fault.at(place, error);
    throw error;
  }
}

/** Refuses unless `holds`. */
export function require(holds: boolean, rule: string, what: string): asserts holds {
  if (!holds) throw new Refused(rule, what);
}
