/**
 * {@code penstock bundle}: an archive with everything a run needs, a Java runtime among it, for machines without Java.
 *
 * <p>Must not know configurations or runs: it packs what this process itself runs from. Threads: the caller's.
 *
 * <p>Read first: {@link io.penstock.engine.bundle.Bundle}, {@code BundledJars}, {@code TarGz}.
 */
@NullMarked
package io.penstock.engine.bundle;

import org.jspecify.annotations.NullMarked;
