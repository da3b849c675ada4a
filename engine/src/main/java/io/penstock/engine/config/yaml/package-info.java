/**
 * From YAML text to records and back: positions, overrides, types, ranges and the nearest valid word, all problems collected. A record component with a
 * {@link io.penstock.engine.config.yaml.Key} is a key; nothing else describes the configuration, the reference page included.
 *
 * <p>Must not know which records there are. Threads: none; everything here is used by one thread at start-up.
 *
 * <p>Read first: {@link io.penstock.engine.config.yaml.Key}, {@link io.penstock.engine.config.yaml.Value}, {@link
 * io.penstock.engine.config.yaml.Binder}.
 */
@NullMarked
package io.penstock.engine.config.yaml;

import org.jspecify.annotations.NullMarked;
