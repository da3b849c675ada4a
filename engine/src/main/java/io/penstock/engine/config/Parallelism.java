package io.penstock.engine.config;

/** Section {@code parallelism}: given key by key, or left to the plan, or in part. */
public sealed interface Parallelism permits Layout, AutoLayout, PartlyAutoLayout {}
