@NullMarked
package io.penstock.jmh;

import org.jspecify.annotations.NullMarked;
