@NullMarked
package io.penstock.partitioner;

import org.jspecify.annotations.NullMarked;
