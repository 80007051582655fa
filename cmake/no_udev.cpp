// SPDX-License-Identifier: Apache-2.0
// Stands in for libudev, which Debian ships as a shared library only, where hwloc is linked statically. hwloc asks it
// about block devices alone, and reads them from /run/udev when udev_new() returns null; the other functions then are
// never called. Signatures: libudev.h.
extern "C" {
struct udev;
struct udev_device;

udev* udev_new() { return nullptr; }
udev* udev_unref(udev*) { return nullptr; }
udev_device* udev_device_new_from_subsystem_sysname(udev*, const char*, const char*) { return nullptr; }
const char* udev_device_get_property_value(udev_device*, const char*) { return nullptr; }
udev_device* udev_device_unref(udev_device*) { return nullptr; }
}
