//! The manners that all programs of the workshop share.
