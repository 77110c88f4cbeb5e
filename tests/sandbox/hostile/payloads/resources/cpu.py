# inside: limit cpu
# limits: cpu_s=1 wall_s=30
while True:
    pass
