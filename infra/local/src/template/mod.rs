//! Reads `template.yaml`: SAM and CloudFormation in, a [`plan::Plan`] out.

pub mod plan;
