package io.penstock.engine.planning;

/**
 * What a run is to use up, and at what price.
 *
 * @param tokens to train on
 * @param pricePerHour of one device; 0 where it is not known
 */
public record Budget(double tokens, double pricePerHour) {
    private static final double SECONDS_PER_HOUR = 3600;

    public double hours(double tokensPerSecond) {
        return tokens / tokensPerSecond / SECONDS_PER_HOUR;
    }

    /** In the price's currency. */
    public double cost(double tokensPerSecond, int devices) {
        return hours(tokensPerSecond) * devices * pricePerHour;
    }
}
