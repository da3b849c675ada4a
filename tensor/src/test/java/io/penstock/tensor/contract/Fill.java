package io.penstock.tensor.contract;

import java.util.SplittableRandom;

/** What a tensor of a case holds before the operation. */
@FunctionalInterface
interface Fill {
    /** NaN in every byte: for outputs that are overwritten (and for the guards), so that reading them shows. */
    Fill POISON = random -> Double.NaN;

    Fill UNIT = uniform(-1, 1);

    double next(SplittableRandom random);

    static Fill uniform(double from, double below) {
        return random -> random.nextDouble(from, below);
    }

    static Fill integers(int from, int below) {
        return random -> random.nextInt(from, below);
    }

    /** Any of these. */
    static Fill oneOf(double... values) {
        return random -> values[random.nextInt(values.length)];
    }
}
