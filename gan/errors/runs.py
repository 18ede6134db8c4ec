"""English sentences about runs, and the GPUs that are lent to them."""

MESSAGES = {
    "runs.unknown": "There is no run called “{id}”. Choose one from the list of runs.",
    "runs.unknown_command": (
        "There is no command called “{name}” for a run. Use pause, resume, restart, stop, end, cancel, "
        "sample, save or delete."
    ),
    "runs.damaged": (
        "The file {file} of this run is missing or damaged. Restore it from a copy, or delete the run."
    ),
    "runs.no_sample": "There is no sample grid of step {step}; older grids are thinned. Choose another step.",
    "runs.no_reals": "This run keeps no picture of what it learns from. Runs of images that begin now do.",
    "runs.cant_pause": (
        "This run is {state}, so it can't be paused. Only a run that is training or waiting can."
    ),
    "runs.cant_adjust": (
        "This run is {state}, so its settings can't be changed now. Only those of a run that trains on this "
        "machine can."
    ),
    "runs.no_such_adjustment": "“{name}” can't be changed while this run trains. Start a new run with it.",
    "runs.adjusted_too_far": (
        "{name} may become at most {most} times what it was at first, or that part of it. Start a new run "
        "for more."
    ),
    "runs.adjusted_too_often": "This run was changed {most} times. Start a new run with these settings.",
    "runs.cant_more": "This run is {state}, so it can't be given more time. Only a finished run can.",
    "runs.more_without_checkpoint": (
        "This run has no checkpoint, so it can't go on. Start a new run from it instead."
    ),
    "runs.cant_resume": "This run is {state}, so it can't be resumed. Only a paused or failed run can.",
    "runs.cant_cpu": ("This run is {state}, so it can't go on on the CPU. Only a paused or failed run can."),
    "runs.cant_restart": (
        "This run is {state}, so it can't restart from scratch. Only a run that is paused, stopped or "
        "failed can."
    ),
    "runs.cant_stop": (
        "This run is {state}, so it can't be stopped. Only a run that is training, waiting or paused can."
    ),
    "runs.cant_cancel": "This run is {state}, so it can't be removed from the queue. Only a waiting run can.",
    "runs.cant_sample": (
        "This run is {state}, so it can't generate samples now. Only a run that is training can."
    ),
    "runs.cant_save": "This run is {state}, so it can't be saved now. Only a run that is training can.",
    "runs.cant_score": "This run is {state}, so it can't be scored yet. Only a finished or stopped run can.",
    "runs.many_scores": "Too many runs are being scored. Wait until one is done, then try again.",
    "runs.score_failed": "The run could not be scored. The server's log has the reason.",
    "runs.score_late": "The run could not be scored within {minutes} minutes. Score it with: ganarium score.",
    "runs.no_eyes": "D of “{name}” can't be read: the run has no sound checkpoint yet.",
    "runs.images_gone": "The images that this run learnt from are not on this computer.",
    "runs.few_pairs": "Fewer than {least} images of this run are held out, too few for a game.",
    "runs.look_failed": "The samples could not be looked at. The server's log has the reason.",
    "runs.look_late": "This took more than {seconds} s and was given up. Try again when fewer programs run.",
    "runs.cant_delete": "This run is {state}, so it can't be deleted. Stop it first, then delete it.",
    "runs.cant_end": (
        "This run is {state}, so it can't be stopped by force. Only a run that is training and not "
        "responding can."
    ),
    "runs.not_silent": (
        "This run responded {seconds} s ago, so it is not stopped by force. Pause or stop it instead."
    ),
    "runs.wont_end": (
        "The training process does not end; it may be waiting for a disk. Try again later, or restart the "
        "machine."
    ),
    "runs.ended": (
        "The training process did not respond for {seconds} s and was stopped by force. Resume the run to "
        "go on from its last checkpoint."
    ),
    "runs.ended_early": (
        "The training process did not respond for {seconds} s and was stopped by force before its first "
        "checkpoint. Resume the run to restart it from scratch."
    ),
    "runs.long_name": "A name can have {most} characters, and this one has {count}. Choose a shorter one.",
    "runs.bad_quota": "“{text}” is no number of GB. Give 0 or more.",
    "runs.quota": (
        "The runs take {used} GB of the {allowed} GB that they may. Delete some that you no longer need, "
        "or start GANarium with a larger --quota."
    ),
    "runs.over_time": (
        "This run held the machine for much longer than its minutes, so it was stopped. Its last checkpoint "
        "is kept."
    ),
    "runs.queue_full": (
        "{most} runs are waiting already; more can't be added. Remove some from the queue, or wait."
    ),
    "runs.too_many": (
        "There are {most} runs already; more can't be kept. Delete some that you no longer need."
    ),
    "runs.disk_full": (
        "The disk is full. Delete runs that you no longer need, or make room in another way, and try again."
    ),
    "runs.cannot_write": "The folder of the runs can't be written ({reason}). Solve that, and try again.",
    "runs.in_use": (
        "Another GANarium (process {pid}) already uses the folder “{path}”. Close that one, or set "
        "GANARIUM_RUNS to another folder."
    ),
    "runs.start_failed": (
        "The training process could not be started ({reason}). Check the installation, then resume the run."
    ),
    "runs.worker_ended": (
        "The training process ended unexpectedly with exit status {status}; the log on the server says "
        "why. Resume the run to try again."
    ),
    "runs.worker_killed": (
        "The system ended the training process (signal {signal}), often for lack of memory. Resume the "
        "run, or try a smaller batch or width."
    ),
    "runs.worker_lost": (
        "The training process ended for an unknown reason; the log on the server may say why. Resume the "
        "run to go on."
    ),
    "runs.interrupted": (
        "The machine or the training process stopped before the first checkpoint. Resume the run to "
        "restart it with the same settings."
    ),
    "runs.interrupted_often": (
        "The machine or server ended {times} times with no newer checkpoint in between. Resume the run, or "
        "try a smaller batch."
    ),
    "runs.defect": (
        "This is a defect of GANarium, not your mistake. The log on the server, worker.log in the folder "
        "of the run, has the details."
    ),
    "lease.cant": (
        "This run is {state}, so it can't be lent a GPU. A paused run can, once its data are prepared."
    ),
    "lease.no_package": (
        "ZeroGPU can't be used ({reason}). Install its package with “pip install spaces”, or choose other "
        "hardware for the Space."
    ),
    "lease.busy": "This run already waits for a GPU or uses one. Wait for the end of its lease.",
    "lease.seconds": "A lease takes {least} to {most} s, not “{value}”. Choose a time in between.",
    "lease.short": (
        "Only {left} s of your GPU time are left, and {requested} s were asked for. Go on with {offer} s, or "
        "on the CPU."
    ),
    "lease.quota": (
        "Your GPU time is used up: {left} s are left, and {requested} s were asked for. Try again in {wait}, "
        "or go on on the CPU."
    ),
    "lease.runs": "You have reached your number of leases for now. Try again later, or go on on the CPU.",
    "lease.space_quota": (
        "Without your sign-in at Hugging Face this Space has no GPU time left for you. Sign in there, or go "
        "on on the CPU."
    ),
    "lease.queue": "No GPU was free within a minute. Try again with {offer} s, or go on on the CPU.",
    "lease.too_long": (
        "{requested} s are more than a lease may take at present. Go on with {offer} s, or on the CPU."
    ),
    "lease.credits": (
        "Your other GPU tasks hold all your credits. Try again when they have ended, or go on on the CPU."
    ),
    "lease.refused": "The GPU service refused the lease ({reason}). Try again later, or go on on the CPU.",
    "lease.cut": (
        "The lease of the GPU was cut off, so the run goes back to its last checkpoint. Go on with the GPU, "
        "or on the CPU."
    ),
}
