/* SPDX-License-Identifier: MIT */
/* Classes known by heart: CamVid in the 11 classes of SegNet (Badrinarayanan et al., 2017; colours
 * of its tutorial), PASCAL VOC 2012, and Cityscapes' 19 training classes (Cordts et al., 2016). */
#include "data/classes.h"

static const at_known_class camvid[] = {
    {"sky", {128, 128, 128}},    {"building", {128, 0, 0}},    {"pole", {192, 192, 128}},
    {"road", {128, 64, 128}},    {"pavement", {60, 40, 222}},  {"tree", {128, 128, 0}},
    {"sign", {192, 128, 128}},   {"fence", {64, 64, 128}},     {"car", {64, 0, 128}},
    {"pedestrian", {64, 64, 0}}, {"bicyclist", {0, 128, 192}},
};

static const at_known_class voc[] = {
    {"background", {0, 0, 0}},   {"aeroplane", {128, 0, 0}},  {"bicycle", {0, 128, 0}},
    {"bird", {128, 128, 0}},     {"boat", {0, 0, 128}},       {"bottle", {128, 0, 128}},
    {"bus", {0, 128, 128}},      {"car", {128, 128, 128}},    {"cat", {64, 0, 0}},
    {"chair", {192, 0, 0}},      {"cow", {64, 128, 0}},       {"diningtable", {192, 128, 0}},
    {"dog", {64, 0, 128}},       {"horse", {192, 0, 128}},    {"motorbike", {64, 128, 128}},
    {"person", {192, 128, 128}}, {"pottedplant", {0, 64, 0}}, {"sheep", {128, 64, 0}},
    {"sofa", {0, 192, 0}},       {"train", {128, 192, 0}},    {"tvmonitor", {0, 64, 128}},
};

static const at_known_class cityscapes[] = {
    {"road", {128, 64, 128}},
    {"sidewalk", {244, 35, 232}},
    {"building", {70, 70, 70}},
    {"wall", {102, 102, 156}},
    {"fence", {190, 153, 153}},
    {"pole", {153, 153, 153}},
    {"traffic light", {250, 170, 30}},
    {"traffic sign", {220, 220, 0}},
    {"vegetation", {107, 142, 35}},
    {"terrain", {152, 251, 152}},
    {"sky", {70, 130, 180}},
    {"person", {220, 20, 60}},
    {"rider", {255, 0, 0}},
    {"car", {0, 0, 142}},
    {"truck", {0, 0, 70}},
    {"bus", {0, 60, 100}},
    {"train", {0, 80, 100}},
    {"motorcycle", {0, 0, 230}},
    {"bicycle", {119, 11, 32}},
};

const at_known at_known_camvid = {"CamVid", 11, camvid, 11, {0, 0, 0}};
const at_known at_known_voc = {"PASCAL VOC", 21, voc, 255, {224, 224, 192}};
const at_known at_known_cityscapes = {"Cityscapes", 19, cityscapes, 255, {0, 0, 0}};

const uint8_t at_cityscapes_train_ids[AT_CITYSCAPES_IDS] = {
    255, 255, 255, 255, 255, 255, 255, 0,  1,  255, 255, 2,  3,   4,   255, 255, 255,
    5,   255, 6,   7,   8,   9,   10,  11, 12, 13,  14,  15, 255, 255, 16,  17,  18};
