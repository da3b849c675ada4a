package io.penstock.models;

/** The three computations of a layer on a micro-batch. */
public enum Phase {
    FORWARD,
    BACKWARD_INPUT,
    BACKWARD_WEIGHT
}
