package io.penstock.engine.cli.doctor;

/**
 * One thing that was looked at.
 *
 * @param found what there is, with numbers
 * @param mend what to do about it; empty where nothing need be done
 */
record Diagnosis(String name, Status status, String found, String mend) {
    /** {@code MISSING}: something can't be used, the rest works. {@code BAD}: training can't work. */
    enum Status {
        OK,
        MISSING,
        BAD
    }

    static Diagnosis ok(String name, String found) {
        return new Diagnosis(name, Status.OK, found, "");
    }

    static Diagnosis missing(String name, String found, String mend) {
        return new Diagnosis(name, Status.MISSING, found, mend);
    }

    static Diagnosis bad(String name, String found, String mend) {
        return new Diagnosis(name, Status.BAD, found, mend);
    }
}
