"""Screen, webcam and microphone to encoded segments in memory."""
