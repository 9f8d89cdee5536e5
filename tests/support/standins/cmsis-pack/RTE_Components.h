/* Stands in for what a project manager writes: it names the device's header. */
#ifndef RTE_COMPONENTS_H
#define RTE_COMPONENTS_H

#define CMSIS_device_header "device.h"

#endif
