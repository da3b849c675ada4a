/**
 * Memory beside the device's for state that is offloaded: mapped files, a Chronicle Map, or host memory. It holds only what a checkpoint can rebuild or a step needs not outlive: a store has no
 * name in the file system once it is open, so the death of its process, however it comes, gives its space back and leaves nothing that a later run could trust.
 *
 * <p>It knows tensors and bytes; what lies in a store, and when it is brought in, is the business of {@code engine.state}. Each store belongs to one thread: that of states to its rank's,
 * that of activations to a {@link io.penstock.engine.offload.Carrier}, which is a thread of its own or the device.
 *
 * <p>Read first: {@link io.penstock.engine.offload.ShardStore}, {@link io.penstock.engine.offload.MappedFileStore}, {@link
 * io.penstock.engine.offload.ChronicleMapStore}.
 */
@NullMarked
package io.penstock.engine.offload;

import org.jspecify.annotations.NullMarked;
