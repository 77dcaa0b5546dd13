"""Annotation files as masks to refine: COCO, LabelMe, Label Studio, CVAT and YOLO behind one small interface."""
