mod batches;
mod rules;
