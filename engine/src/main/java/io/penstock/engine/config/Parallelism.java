package io.penstock.engine.config;

/** Section {@code parallelism}: given key by key, or left to the plan. */
public sealed interface Parallelism permits Layout, AutoLayout {}
