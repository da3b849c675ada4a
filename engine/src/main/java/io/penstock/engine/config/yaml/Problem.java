package io.penstock.engine.config.yaml;

/** One thing that is wrong with the user's input, and where. */
public record Problem(Place place, String message) {
    @Override
    public String toString() {
        return place + ": " + message;
    }
}
